"""Hides credentials in headers and addresses: the control API's answers may stand on a projector."""

from urllib.parse import unquote_plus

from ..match.diagnose import CREDENTIALS as IN_QUERIES
from ..scrub.header import CREDENTIALS
from ..tape.interaction import Headers

HIDDEN = "hidden"
IN_HEADERS = (*CREDENTIALS, "x-api-key", "cookie", "set-cookie", "proxy-authorization")


def headers_shown(headers: Headers) -> list[list[str]]:
    return [[name, HIDDEN if name.lower() in IN_HEADERS else value] for name, value in headers]


def target_shown(target: str) -> str:
    return _target(target, [f"{name}={HIDDEN}" if _is_hidden(name) else pair for name, pair in _pairs(target)])


def target_kept(target: str) -> str:
    """The target without credentials, to call again."""
    return _target(target, [pair for name, pair in _pairs(target) if not _is_hidden(name)])


def _pairs(target: str) -> list[tuple[str, str]]:
    return [(unquote_plus(pair.partition("=")[0]), pair) for pair in target.partition("?")[2].split("&")]


def _is_hidden(name: str) -> bool:
    return name.lower() in IN_QUERIES


def _target(target: str, pairs: list[str]) -> str:
    return "?".join(filter(None, (target.partition("?")[0], "&".join(pairs))))
