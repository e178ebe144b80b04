"""The measurements: traffic, starts, tokens, recordings, the parts of a run. `reported` may import this room."""
