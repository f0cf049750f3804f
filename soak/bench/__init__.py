"""What can it do? Finite benchmarks by category: scenarios of the same machinery, told together."""
