"""Hostile requests, as hypothesis strategies: bytes for a socket, and the answers that they deserve."""

import itertools
import json
import re
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.hostile import parts
from tests.hostile.framing import HONEST_FRAMINGS, LYING_FRAMINGS


@dataclass(frozen=True)
class Attack:
    """`pieces` leave one after the other, with a pause between. All servers agree where an `honest` request begins and
    ends, so the proxy must answer it. After any other request a `patient` caller waits a moment; others hang up."""

    pieces: tuple[bytes, ...]
    method: str
    honest: bool
    patient: bool

    def __repr__(self) -> str:
        """The request, with long repetitions cut short."""
        pieces = re.sub(r"(.{1,6}?)\1{50,}", lambda run: f"<{len(run[0])} x {run[1]}>", repr(self.pieces))
        return f"Attack({pieces}, {self.method!r}, honest={self.honest}, patient={self.patient})"


def percent(data: bytes) -> bytes:
    return b"".join(b"%%%02x" % byte for byte in data)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9) | st.just("model"), inner, max_size=3)
    ),
    max_leaves=6,
).map(lambda value: json.dumps(value).encode())
_objects = st.lists(st.sampled_from(parts.MEMBERS), min_size=1, max_size=4).map(
    lambda members: b"{" + b",".join(members) + b"}"
)
BODIES = st.one_of(
    _objects, _objects, st.sampled_from([parts.SOUND] * 20 + parts.BODIES), _json, st.binary(max_size=60)
)

SANE = st.sampled_from([True] * 9 + [False])
PARTS = {  # made once, because making a strategy takes longer than drawing from it
    "target": st.tuples(
        st.sampled_from([parts.PREFIXES[0]] * 50 + parts.PREFIXES),
        st.sampled_from(
            [("POST", route) for route in parts.ROUTES[:3]] * 9 + [("GET", parts.ROUTES[6])] * 6 + parts.ODD_TARGETS
        ),
        st.sampled_from(parts.IDS[:1] * 30 + parts.IDS) | st.binary(max_size=8).map(percent),
        st.lists(st.sampled_from(parts.QUERIES), max_size=2),
    ),
    "headers": st.lists(st.sampled_from(parts.HEADERS), max_size=3),
    "wrong": st.sampled_from([*["nothing"] * 6, "method", "version", "header", "framing", "framing", "bytes"]),
}
WRONG = {
    "method": st.sampled_from(parts.ODD_METHODS),
    "version": st.sampled_from(parts.VERSIONS),
    "header": st.sampled_from(parts.BROKEN_HEADERS),
    "framing": st.sampled_from(LYING_FRAMINGS),
    "bytes": st.lists(
        st.tuples(st.integers(0, 2_000), st.integers(0, 12), st.none() | st.sampled_from(parts.NASTY_BYTES)),
        min_size=1,
        max_size=3,
    ),
    "nothing": st.none(),
}
CUTS = st.lists(st.integers(0, 1_000), max_size=3)
FRAMING = st.sampled_from(HONEST_FRAMINGS)


@st.composite
def attacks(draw: st.DrawFn) -> Attack:
    prefix, (method, route), odd_id, queries = draw(PARTS["target"])
    target = prefix + route.replace(b"%s", odd_id) + b"?" * bool(queries) + b"&".join(queries)
    headers = draw(PARTS["headers"])
    if draw(SANE):
        headers = [b"host: proxy.example", b"x-functions-key: " + parts.KEY, *headers]
    version, form, body = b"HTTP/1.1", draw(FRAMING), draw(BODIES)
    wrong = draw(PARTS["wrong"])  # half of the requests break the protocol itself
    what = draw(WRONG[wrong])
    match wrong:
        case "method":
            method = what
        case "version":
            version = what
        case "header":
            headers = [*headers, what]
        case "framing":
            form = what
    framing, sent = form(body)
    head = b"%s %s %s\r\n" % (method.encode("latin-1"), target, version)
    raw = head + b"".join(line + b"\r\n" for line in headers) + framing + b"\r\n" + sent
    if wrong == "bytes":
        raw = mutated(raw, what)
    pieces = (raw,) if draw(SANE) else cut(raw, draw(CUTS))
    honest = wrong == "nothing" and re.fullmatch(rb"[!-~]+", target) is not None
    return Attack(pieces, method, honest, patient=honest or not draw(SANE))


def mutated(raw: bytes, changes: list[tuple[int, int, bytes | None]]) -> bytes:
    """Changes the request: each change replaces some bytes, or repeats them."""
    for start, size, new in changes:
        old = raw[start : start + size]
        raw = raw[:start] + (old * 2 if new is None else new) + raw[start + size :]
    return raw


def cut(raw: bytes, places: list[int]) -> tuple[bytes, ...]:
    edges = itertools.pairwise([0, *sorted(places), len(raw)])
    return tuple(raw[start:end] for start, end in edges if raw[start:end])
