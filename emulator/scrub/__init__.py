"""What must not get into a cassette: found, named, taken out. May import `tape`."""
