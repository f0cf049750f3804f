"""Does a target keep what its capabilities promise? Asked one by one, loaded, killed."""
