"""The servers of a run: the upstream, the fake identity, and each contender in front of them."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

from emulator.azure import FakeAzure
from emulator.azure.app import IDENTITY_PATH
from emulator.match.library import Library
from emulator.server import bind, serving

from ..bench import Failed
from ..workload import Workload
from .contender import Contender, Place
from .native import program
from .server import LOAD_CORE, Server, free_port

DIRECT = "direct"  # the upstream itself


class Site:
    """A context manager. `contenders` gives the contenders for the upstream's port; `only` names those to start, empty
    for all. `running` has the contenders that started; `skipped` has the others, with the reason."""

    def __init__(self, contenders: Callable[[int], list[Contender]] | None, only: frozenset[str] = frozenset()) -> None:
        self.contenders, self.only = contenders or (lambda _: []), only
        self.running: dict[Contender, Server] = {}
        self.skipped: dict[str, str] = {}
        self._exit = ExitStack()

    def __enter__(self) -> "Site":
        with ExitStack() as starting:
            self.folder = Path(starting.enter_context(TemporaryDirectory(prefix="benchmark-")))
            fake = FakeAzure(Library())
            base = starting.enter_context(serving(fake, bind(0)))
            self.identity = {"IDENTITY_ENDPOINT": base + IDENTITY_PATH, "IDENTITY_HEADER": fake.identity.header}
            port = free_port()
            upstream = Server([program("upstream"), str(port)], port, self.folder / "upstream.log", core=LOAD_CORE)
            self.upstream = starting.enter_context(upstream)
            for contender in self.contenders(port):
                if self.only and contender.name not in (*self.only, DIRECT):
                    continue
                try:
                    server = (
                        self.upstream if contender.name == DIRECT else starting.enter_context(self.start(contender))
                    )
                    self.first_answer(contender, server)
                    self.running[contender] = server
                except Failed as reason:
                    self.skipped[contender.name] = str(reason)
            self._exit = starting.pop_all()
        return self

    def __exit__(self, *error: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._exit.close()

    def start(self, contender: Contender) -> Server:
        """A new process of the contender. Raises Failed where it is not installed."""
        if why := contender.missing():
            raise Failed(why)
        port = free_port()
        folder = self.folder / str(port)
        folder.mkdir()
        place = Place(port, self.upstream.port, self.identity, folder)
        return Server(contender.command(place), port, folder / "log", contender.environment(place))

    def first_answer(self, contender: Contender, server: Server) -> float:
        """Seconds from the start of its process to the first answer from the upstream through it."""
        body = Workload("", 1, 0).body()
        return server.answered(contender.path, lambda: headers_of(contender, server), body)


def headers_of(contender: Contender, server: Server) -> dict[str, str]:
    return {"host": "127.0.0.1", "content-type": "application/json", **contender.headers_for(server)}
