"""The parts of a run: whose servers run together, and what is measured while they do."""

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

Makers = Mapping[str, Callable[[Site], Bench]]  # by the bench's name


@dataclass(frozen=True)
class Part:
    """`contenders` run while its benches are measured; None where nobody needs to."""

    contenders: Callable[[int], list[Contender]] | None
    benches: Makers


def parts(seconds: float, tries: int) -> list[Part]:
    """`seconds` is the length of a sample of traffic; `tries` how often a disturbed one is taken again, at most."""

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
