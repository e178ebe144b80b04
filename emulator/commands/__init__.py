"""The verbs: a module with `run` for each, and the arguments of all. `cli` may import it."""
