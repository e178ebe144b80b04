"""The parts of a run: the servers that run together, and the benches meanwhile."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..bench import Bench
from ..compared.contender import Contender
from ..compared.proxies import proxies
from ..compared.replayers import Emulator, replayers
from ..compared.site import Site
from ..compared.workers import workers
from ..workload import Workload, chats, streams, workloads
from . import startup, tapes, tokens, traffic

Makers = Mapping[str, Callable[[Site], Bench]]  # the bench's name: its maker


@dataclass(frozen=True)
class Part:
    """`contenders` run during the part's benches; None where the benches need none."""

    contenders: Callable[[int], list[Contender]] | None
    benches: Makers


def parts(seconds: float, tries: int) -> list[Part]:
    """`seconds` is the length of a sample of traffic; `tries` is the most tries for a disturbed sample."""

    def sent(*asked: Workload, kind: type[Contender] = Contender) -> Makers:
        return {w.name: lambda site, workload=w: traffic.bench(workload, site, tries, kind) for w in asked}

    return [
        Part(None, {bench.name: lambda _, bench=bench: bench for bench in local()}),
        Part(proxies, {**sent(*workloads(seconds)), startup.FIRST_ANSWER: startup.first_answers}),
        Part(workers, sent(chats(16, seconds, "in the worker library"))),
        Part(replayers, sent(chats(16, seconds, "replay"))),
        Part(replayers, sent(streams(1, "pacing"), streams(50, "pacing"), kind=Emulator)),
    ]


def local() -> list[Bench]:
    return [startup.imports(), tokens.tokens(), tapes.matching(), tapes.explaining(), tapes.loading()]
