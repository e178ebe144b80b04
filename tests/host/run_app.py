"""Serves the app in a folder. Prints the port and, on the next line, the routes as JSON. An AppError exits with 2."""

import argparse
import asyncio
import json
import socket
import sys
from pathlib import Path

from emulator.host.app import AppError
from emulator.host.http import exchange
from emulator.host.server import serve

KEYS = {"default": "right+key/==", "named": "another-key", "_master": "master-key", "empty": ""}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--backend")
    parser.add_argument("--activity-timeout", type=float, default=exchange.ACTIVITY_TIMEOUT_S)
    parser.add_argument("--cancel", action="store_true", help="cancel serve() once it is ready")
    options = parser.parse_args()
    exchange.ACTIVITY_TIMEOUT_S = options.activity_timeout

    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))

    async def run() -> None:
        def ready(routes: list[str]) -> None:
            print(sock.getsockname()[1], json.dumps(routes), sep="\n", flush=True)
            if options.cancel:
                serving.cancel()

        serving = asyncio.ensure_future(serve(options.folder, KEYS, sock, ready, options.backend))
        try:
            await serving
        except asyncio.CancelledError:
            print(f"cancelled, {len(asyncio.all_tasks()) - 1} tasks left")

    try:
        asyncio.run(run())
    except AppError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
