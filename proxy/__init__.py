"""The steps of function_app.py: settings, limits and errors, the call to Azure, the way back, the record."""
