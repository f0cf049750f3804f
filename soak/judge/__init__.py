"""What does it mean? Checks, health, and whether the run may be trusted."""
