"""How many people can share a deployment, `python -m benchmarks.capacity`. May import `reported`."""
