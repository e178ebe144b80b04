"""Sends a workload to a contender: one sample."""

import functools
import json
import math
import subprocess
import time
from collections.abc import Mapping
from typing import Any

from ..bench import Bench, Failed, Sample
from ..compared.contender import Contender
from ..compared.native import program
from ..compared.server import LOAD_CORE, on_core
from ..compared.site import Site, headers_of
from ..summary import percentile
from ..workload import Workload
from .quiet import quiet

WARM_UP_MS = 300


def bench(workload: Workload, site: Site, tries: int = 1, kind: type[Contender] = Contender) -> Bench:
    """The workload for every running contender of the kind; `tries` as in measured/quiet.py."""
    asked = [contender for contender in site.running if isinstance(contender, kind)]
    return Bench(workload.name, {c.name: functools.partial(quiet_sample, workload, c, site, tries) for c in asked})


def quiet_sample(workload: Workload, contender: Contender, site: Site, tries: int) -> Sample:
    processes = {process for server in (site.upstream, *site.running.values()) for process in server.family()}
    return quiet(lambda: sample(workload, contender, site), processes, tries)


def sample(workload: Workload, contender: Contender, site: Site) -> Sample:
    """Raises Failed without a single whole 200."""
    server = site.running[contender]
    if workload.seconds and not workload.leave_after:
        load(workload, contender, site, WARM_UP_MS)
    before, log_before = server.cpu_seconds(), site.upstream.log.stat().st_size
    done = load(workload, contender, site, round(1000 * workload.seconds))
    cpu_us = 1e6 * (server.cpu_seconds() - before)
    if workload.leave_after:
        time.sleep(workload.frames * workload.every_ms / 1000)  # gives a caller that reads to the end the time for it
        return of_leaving(done["left"], site.upstream.log.read_text()[log_before:])
    if not done["requests"]:
        raise Failed(done["first_error"])
    frames = of_frames(done, cpu_us) if workload.frames else {}
    return {**of_answers(done, cpu_us), **frames, "rss_mb": server.rss_mb()}


def load(workload: Workload, contender: Contender, site: Site, milliseconds: int) -> dict[str, Any]:
    """The output of the program load. native/load.c explains it."""
    body = workload.body()
    server = site.running[contender]
    headers = {**headers_of(contender, server), "content-length": str(len(body))}
    lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
    request = site.folder / "request"
    request.write_bytes(f"POST {contender.path} HTTP/1.1\r\n{''.join(lines)}\r\n".encode() + body)
    options = (server.port, request, workload.connections, milliseconds, workload.ramp_ms, workload.leave_after)
    command = on_core(LOAD_CORE, [program("load"), *map(str, options)])
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(done.stderr.strip())
    return dict(json.loads(done.stdout))


def of_answers(done: Mapping[str, Any], cpu_us: float) -> Sample:
    latency = done["latency"]
    return {
        "requests_s": done["requests"] / done["seconds"],
        "p50_ms": percentile(latency, 0.5) / 1000,
        "p99_ms": percentile(latency, 0.99) / 1000,
        "slowest_ms": max(latency, default=math.nan) / 1000,
        "cpu_us_request": cpu_us / done["requests"],
        "complete": done["requests"],
        "errors": done["errors"],
    }


def of_frames(done: Mapping[str, Any], cpu_us: float) -> Sample:
    frames, delays = done["frames"], [abs(delay) for delay in done["delay"]]
    return {
        "frames_s": frames / done["seconds"],
        "cpu_us_frame": cpu_us / frames,
        "first_byte_ms": percentile(done["first_byte"], 0.5) / 1000,
        "delay_p50_ms": percentile(delays, 0.5) / 1000,
        "delay_p99_ms": percentile(delays, 0.99) / 1000,
    }


def of_leaving(left: list[int], log: str) -> Sample:
    """The upstream's time after each caller had left, by the upstream's own clock (both in nanoseconds)."""
    closed = [int(line.split()[1]) for line in log.splitlines() if line.startswith("left")]
    delays = []
    for leaving in left:
        if noticed := next((at for at in closed if at >= leaving), None):
            closed.remove(noticed)
            delays.append((noticed - leaving) / 1e6)
    return {
        "upstream_closed_ms": percentile(delays, 0.5),
        "upstream_closed_slowest_ms": max(delays, default=math.nan),
        "never_closed": len(left) - len(delays),
    }
