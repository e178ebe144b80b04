"""The verbs, each in a module with `add_arguments` and `run`. `cli` imports the one that was typed."""
