"""The local Azure Functions host: serves a folder with a `function_app.py` the way the Azure Functions host does. The
command line and the stack may import it."""
