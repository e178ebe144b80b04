"""How many people can share a deployment: `python -m benchmarks.capacity`. No other room may import it."""
