"""soak: a long-running tester that finds out how an agent memory dies in week three."""

__version__ = "0.1.0"
