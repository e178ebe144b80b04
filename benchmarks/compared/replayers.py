"""The emulator that replays a recording, and an ASGI application on the same server that only answers."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from emulator.tape import cassette

from .contender import CHAT, ROOT, Contender, Place
from .recordings import interactions, paced
from .server import Server

PER_CASSETTE = 100


class Empty(Contender):
    def command(self, place: Place) -> list[str | Path]:
        return [sys.executable, "-m", "benchmarks.compared.empty", str(place.port)]

    def environment(self, place: Place) -> dict[str, str]:
        return {"PYTHONPATH": str(ROOT)}


class Emulator(Empty):
    """The emulator with the number of recordings that its name ends with."""

    def command(self, place: Place) -> list[str | Path]:
        recorded = interactions(int(self.name.split()[-1]))
        for start in range(0, len(recorded), PER_CASSETTE):
            cassette.save(place.folder / "tapes" / f"{start}.yaml", recorded[start : start + PER_CASSETTE], {})
        cassette.save(place.folder / "tapes" / "paced.yaml", [paced(200, 20)], {})
        options = ["azure", "--json", "--port", str(place.port), "--cassettes", place.folder / "tapes"]
        return [sys.executable, "-m", "emulator", *options]

    def headers_for(self, server: Server) -> Mapping[str, str]:
        return {"api-key": json.loads(server.log.read_text())["api_key"]}


def replayers(upstream: int) -> list[Contender]:
    return [
        Empty("an empty ASGI app", CHAT),
        Emulator("emulator with 10", CHAT),
        Emulator("emulator with 5000", CHAT),
    ]
