"""Loads the app in each subfolder of a folder; prints, as JSON, why each one was refused, or null."""

import asyncio
import json
import socket
import sys
from pathlib import Path

from emulator.host import AppError, serve


def refusal(folder: Path, backend: str) -> str | None:
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))

    async def load() -> None:
        loading = asyncio.ensure_future(serve(folder, {}, sock, lambda routes: loading.cancel() and None, backend))
        await loading

    try:
        asyncio.run(load())
    except AppError as error:
        return str(error)
    except asyncio.CancelledError:
        pass
    return None


if __name__ == "__main__":
    print(json.dumps({folder.name: refusal(folder, sys.argv[2]) for folder in sorted(Path(sys.argv[1]).iterdir())}))
