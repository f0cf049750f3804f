"""How often is the tester wrong? Every detector on runs of which the truth is known."""
