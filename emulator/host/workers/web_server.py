"""The web server that the http extension starts inside the worker. An app may have changed it."""

from typing import Any

import uvicorn


class Unserved:
    """Takes the place of uvicorn's server, and keeps its configuration."""

    configs: list[uvicorn.Config]

    def __init__(self, config: uvicorn.Config) -> None:
        self.configs.append(config)

    async def serve(self, sockets: object = None) -> None:
        pass


async def keeps_websockets(extension: Any, web_app: Any) -> bool:
    """Whether the server answers a WebSocket upgrade itself and does not call the function. uvicorn does by default.
    With `ws="none"` it passes the upgrade on like any other request."""
    seen, quiet = extension.uvicorn, uvicorn.Config.configure_logging
    server, configs = seen.Server, list[uvicorn.Config]()
    seen.Server = type("Unserved", (Unserved,), {"configs": configs})
    uvicorn.Config.configure_logging = lambda self: None  # type: ignore[method-assign]
    try:
        await extension.WebServer("127.0.0.1", 0, web_app).serve()
    finally:
        seen.Server, uvicorn.Config.configure_logging = server, quiet  # type: ignore[method-assign]
    return bool(configs[0].ws != "none")
