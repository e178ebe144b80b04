"""The local Azure Functions host: serves a folder with a `function_app.py` the way the Azure Functions host does. The
command line and the stack may import it."""

from .app import AppError
from .front import FunctionsHost
from .server import serve

__all__ = ["AppError", "FunctionsHost", "serve"]
