"""What function_app.py stands on: its errors, Azure's side, the token, the model's name, the way back."""
