"""What is wrong with these figures? One pure function per question."""
