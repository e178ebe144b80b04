"""What is measured: traffic, starts, tokens, recordings, the parts of a run. `reported` may import it."""
