"""What do memories say? One file per kind of content: text and vector of key and version."""
