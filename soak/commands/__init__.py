"""What can a person type, beyond running and looking? Groups of commands that cli.py puts in."""
