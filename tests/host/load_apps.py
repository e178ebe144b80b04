"""Loads the app in each subfolder of a folder. Prints the result of each (Loaded) as JSON."""

import asyncio
import io
import json
import socket
import sys
from contextlib import redirect_stderr
from pathlib import Path
from typing import NamedTuple

from emulator.host.app import AppError
from emulator.host.server import serve


class Loaded(NamedTuple):
    """The reason of a refusal, or the app's routes; and the lines on standard error."""

    refusal: str | None
    routes: list[str]
    said: list[str]


def load(folder: Path, backend: str) -> Loaded:
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    routes: list[str] = []
    refusal = None

    async def load() -> None:
        def ready(found: list[str]) -> None:
            routes.extend(found)
            loading.cancel()

        loading = asyncio.ensure_future(serve(folder, {}, sock, ready, backend))
        await loading

    with redirect_stderr(io.StringIO()) as written:
        try:
            asyncio.run(load())
        except AppError as error:
            refusal = str(error)
        except asyncio.CancelledError:
            pass
    return Loaded(refusal, routes, written.getvalue().splitlines())


if __name__ == "__main__":
    print(json.dumps({folder.name: load(folder, sys.argv[2]) for folder in sorted(Path(sys.argv[1]).iterdir())}))
