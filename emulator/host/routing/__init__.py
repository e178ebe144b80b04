"""Which function answers a path: route templates, constraints, their order. The host and `workers` may import it."""
