"""What runs the functions: Microsoft's worker library, or the public API. May import `http` and `routing`."""
