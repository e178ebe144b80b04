"""What function_app.py stands on: its settings, limits and errors, Azure's side, the way back, the record."""
