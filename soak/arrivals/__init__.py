"""When are operations due? One arrival process per file; the file's name is its name."""
