"""What was seen? Results, samples and the worker's words, folded as they come."""
