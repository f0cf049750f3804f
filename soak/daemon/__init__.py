"""What is soaked when nobody looks? Scheduled soaks, what became of each, and one page for all."""
