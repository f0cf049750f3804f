"""What is asked of a target? One file per operation: prepare, call, and check the answer."""
