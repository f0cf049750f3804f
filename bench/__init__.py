"""What does the tester itself cost, and what do its peers cost on the same machine?"""
