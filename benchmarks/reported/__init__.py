"""The report of a run: tables, pictures, the targets that it must meet. `capacity` may import this room."""
