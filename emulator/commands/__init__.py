"""The verbs that serve until Ctrl-C. `cli` may import it."""
