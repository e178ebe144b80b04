"""The targets of a run: what it must reach, and what it aims at."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..measured.startup import EXTENSION
from ..summary import Samples, added, median, ratio

OURS = "ours"
Figure = float | None


@dataclass(frozen=True)
class Target:
    """`figure` is None where the run lacks its measurements. `must` and `aim` are its upper bounds; with `most`, its
    lower bounds."""

    what: str
    figure: Figure
    must: float
    aim: float
    most: bool = False

    @property
    def verdict(self) -> str:
        if self.figure is None:
            return "not measured"
        reached = [self.figure >= bound if self.most else self.figure <= bound for bound in (self.must, self.aim)]
        return "aim" if reached[1] else "must" if reached[0] else "missed"


def targets(samples: Samples) -> Iterator[Target]:
    def times(bench: str, other: str, metric: str, variant: str = OURS) -> Figure:
        return ratio(samples, bench, variant, other, metric)

    def of(bench: str, metric: str, variant: str = OURS) -> Figure:
        return median(samples, bench, variant, metric)

    def more(bench: str, metric: str, variant: str = OURS) -> Figure:
        return added(samples, bench, variant, metric)

    def divided(figure: Figure, by: Figure) -> Figure:
        return None if figure is None or not by else figure / by

    c1, c16, c64 = (f"json, {number} connections" for number in (1, 16, 64))
    burst, s50, s1000 = (
        "burst of 200 frames, 16 streams",
        *(f"200 frames every 20 ms, {number} streams" for number in (50, 1_000)),
    )
    for peer, must, aim in (("LiteLLM", 18, 30), ("Portkey", 3.5, 5), ("nginx", 0.05, 0.08)):
        yield Target(f"answers/s at 16 connections ÷ {peer}", times(c16, peer, "requests_s"), must, aim, most=True)
    yield Target(
        "answers/s at 64 connections ÷ at 1", divided(of(c64, "requests_s"), of(c1, "requests_s")), 1.2, 1.8, most=True
    )
    yield Target("p99 ÷ p50 at 16 connections", divided(of(c16, "p99_ms"), of(c16, "p50_ms")), 3, 1.5)
    for peer, must, aim in (("LiteLLM", 1 / 18, 1 / 30), ("Portkey", 1 / 3, 1 / 5)):
        figure = divided(more(c1, "p50_ms"), more(c1, "p50_ms", peer))
        yield Target(f"added p50 at 1 connection ÷ {peer}'s", figure, must, aim)
    yield Target("burst: CPU per frame ÷ nginx's", times(burst, "nginx", "cpu_us_frame"), 1.5, 1.0)
    yield Target("burst: frames/s ÷ nginx's", times(burst, "nginx", "frames_s"), 1.1, 1.5, most=True)
    yield Target("burst: frames/s ÷ LiteLLM's", times(burst, "LiteLLM", "frames_s"), 100, 150, most=True)
    yield Target("50 paced streams: added frame delay p50, ms", more(s50, "delay_p50_ms"), 0.5, 0.3)
    yield Target("50 paced streams: added frame delay p99, ms", more(s50, "delay_p99_ms"), 2, 1)
    yield Target("1,000 paced streams: complete", of(s1000, "complete"), 1_000, 1_000, most=True)
    yield Target("1,000 paced streams: p50 of their time ÷ direct", times(s1000, "direct", "p50_ms"), 1.35, 1.1)
    yield Target("1,000 paced streams: slowest ÷ direct", times(s1000, "direct", "slowest_ms"), 1.35, 1.1)
    yield Target("1,000 paced streams: memory, MB", of(s1000, "rss_mb"), 120, 100)
    yield Target("a caller leaves: upstream closed, ms", of("caller leaves", "upstream_closed_ms"), 50, 10)
    yield Target(
        "import of function_app ÷ of what Azure's model needs",
        ratio(samples, "import", "function_app", EXTENSION, "import_ms"),
        *(1.45, 1.15),
    )
    yield Target(
        "start to first answer ÷ LiteLLM's", times("start to first answer", "LiteLLM", "first_answer_s"), 0.13, 0.07
    )
    yield Target("memory after load ÷ LiteLLM's", times(c64, "LiteLLM", "rss_mb"), 0.25, 0.15)
    yield Target("a cached token, µs", of("token", "cached_us"), 2, 0.5)
    for when in ("cold", "at refresh", "at expiry"):
        figure = of("token", f"requests_{when.replace(' ', '_')}")
        yield Target(f"identity requests for 64 callers, {when}", figure, 1, 1)
    yield Target("failed calls in an identity outage", of("token", "failures_in_outage"), 0, 0)
    yield Target("emulator: match among 5,000 recordings, µs", of("match", "match_us", "5000 recordings"), 20, 5)
    yield Target(
        "emulator: match among 20,000 ÷ among 10",
        times("match", "10 recordings", "match_us", "20000 recordings"),
        *(1.1, 1.0),
    )
    yield Target("emulator: why none of 5,000 matches, ms", of("explain", "explain_ms", "5000 recordings"), *(20, 10))
    ten, many = "emulator with 10", "emulator with 5000"
    replay = "replay, 16 connections"
    yield Target(
        "emulator: replay ÷ an empty ASGI app",
        times(replay, "an empty ASGI app", "requests_s", ten),
        0.75,
        0.9,
        most=True,
    )
    yield Target("emulator: replay from 5,000 ÷ from 10", times(replay, ten, "requests_s", many), 0.95, 1.0, most=True)
    yield Target("emulator: loading 1,000 recordings cold, ms", of("load", "cold_ms", "1000 recordings"), 300, 150)
    yield Target("emulator: loading 1,000 recordings cached, ms", of("load", "cached_ms", "1000 recordings"), 30, 10)
    yield Target("emulator: pacing error, 1 stream, p50, ms", of("pacing, 1 streams", "delay_p50_ms", ten), 2, 1)
    yield Target("emulator: pacing error, 50 streams, p99, ms", of("pacing, 50 streams", "delay_p99_ms", ten), 10, 5)
    worker = "in the worker library, 16 connections"
    figure = times(worker, "a handler that does nothing", "cpu_us_request")
    yield Target("in Microsoft's worker library: CPU per request ÷ an empty handler's", figure, 2.0, 1.3)
