"""The web server that the http extension starts inside the worker, as the app may have changed it."""

from typing import Any

import uvicorn


class Unserved:
    """In the place of uvicorn's server: keeps the configuration that it is made with."""

    configs: list[uvicorn.Config]

    def __init__(self, config: uvicorn.Config) -> None:
        self.configs.append(config)

    async def serve(self, sockets: object = None) -> None:
        pass


async def keeps_websockets(extension: Any, web_app: Any) -> bool:
    """Whether it would answer a WebSocket upgrade itself, so that the function never hears of it. Seen of uvicorn with
    its default; with `ws="none"` the upgrade is a request like any other."""
    seen, quiet = extension.uvicorn, uvicorn.Config.configure_logging
    server, configs = seen.Server, list[uvicorn.Config]()
    seen.Server = type("Unserved", (Unserved,), {"configs": configs})
    uvicorn.Config.configure_logging = lambda self: None  # type: ignore[method-assign]
    try:
        await extension.WebServer("127.0.0.1", 0, web_app).serve()
    finally:
        seen.Server, uvicorn.Config.configure_logging = server, quiet  # type: ignore[method-assign]
    return bool(configs[0].ws != "none")
