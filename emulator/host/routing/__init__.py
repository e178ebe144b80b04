"""Which function answers a path: route templates, constraints, order. The host and `workers` may import this room."""
