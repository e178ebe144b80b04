"""The local Azure Functions host: serves a folder with a `function_app.py` the way the Azure Functions host does. The
command line and the stack may import it."""

SUMMARY = "Run the proxy, or another function app, in the local Functions host, with all settings from the environment."
"""Here, because the command line shows it without loading the host."""
