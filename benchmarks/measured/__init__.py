"""What is measured: traffic, starts, tokens, recordings, the parts of a run. May import `compared`."""
