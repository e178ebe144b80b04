"""The backends that run the functions: Microsoft's worker library and the public API. The host may import this room."""
