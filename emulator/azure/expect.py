"""Assertions about an exchange with the fake Azure. Each raises AssertionError, and says where the promise broke."""

from collections.abc import Iterable, Sequence
from typing import Any

from .journal import Exchange

OF_THE_WAY = frozenset(  # headers of one connection, or of its server
    {"alt-svc", "connection", "content-length", "date", "keep-alive", "server", "server-timing", "set-cookie"}
    | {"strict-transport-security", "transfer-encoding"}
)


def streamed(exchange: Exchange, received_at: Sequence[float], max_lag_ms: float) -> None:
    """Each frame reached the client at most `max_lag_ms` after it left, and the frames did not all come at the end.
    `received_at` has a time.monotonic() for every frame that the client read."""
    left = exchange.sent_at
    assert len(received_at) == len(left), f"{len(left)} frames left, {len(received_at)} were received"
    lags = [1000 * (got - sent) for sent, got in zip(left, received_at, strict=True)]
    worst = max(range(len(lags)), key=lags.__getitem__)
    assert lags[worst] <= max_lag_ms, f"frame {worst + 1} of {len(lags)} came {lags[worst]:.1f} ms after it left"
    assert len(left) < 2 or received_at[0] < left[-1], "nothing came before the last frame had left"


def transparent(exchange: Exchange, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> None:
    """The client got what the fake Azure sent: status, headers, bytes."""
    assert status == exchange.status, f"the status left as {exchange.status}, came as {status}"
    sent, got = _kept(exchange.sent_headers), _kept(headers)
    for name in sorted({name for name, _ in sent + got}):
        left, came = ([value for key, value in pairs if key == name] for pairs in (sent, got))
        assert left == came, f"the header {name} left as {left}, came as {came}"
    whole = b"".join(exchange.sent)
    at = next((n for n, pair in enumerate(zip(whole, body, strict=False)) if pair[0] != pair[1]), None)
    at = min(len(whole), len(body)) if at is None and len(whole) != len(body) else at
    assert at is None, f"byte {at} of {len(whole)} left as {whole[at : at + 20]!r}, came as {body[at : at + 20]!r}"


def all_played(recordings: Iterable[str], exchanges: Iterable[Exchange]) -> None:
    """Each of these recordings, named by label, was played to its end."""
    played = {exchange.recording for exchange in exchanges if exchange.outcome == "complete"}
    missing = [label for label in recordings if label not in played]
    assert not missing, f"not played: {', '.join(missing)}"


def recorded(exchanges: Iterable[Exchange]) -> None:
    """A recording answered each of these."""
    made = [f"{exchange.method} {exchange.target} ({exchange.origin})" for exchange in exchanges if exchange.origin]
    assert not made, f"not recorded: {', '.join(made)}"


def _kept(headers: Any) -> list[tuple[str, str]]:
    return [(name.lower(), value) for name, value in headers if name.lower() not in OF_THE_WAY]
