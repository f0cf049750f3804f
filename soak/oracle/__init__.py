"""What must the target answer? Known without remembering what was written."""
