"""Finds secrets and keeps them out of cassettes. `recording`, `lint` and `synthetic` may import this room."""
