"""What runs the functions: Microsoft's worker library, or the public API. The host may import it."""
