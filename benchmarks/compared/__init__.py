"""The contenders, and their surroundings: the upstream, the load, a core for each. `measured` and `reported` may import
this room."""
