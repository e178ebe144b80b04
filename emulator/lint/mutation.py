"""Changes of a request: some change its meaning, and some do not.

A body is changed at every JSON path, in all the ways in which a value could be mistaken for another. Long texts and
lists are shortened first, because matching treats all of their parts alike.
"""

import json
import math
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any, NamedTuple

from ..tape.canonical import deployment_of, parse_body
from ..tape.form import is_form
from ..tape.interaction import Request
from ..tape.route import parse
from . import form_mutation

LONG_TEXT, LONG_LIST = 200, 20
ADDED = "x-audit"
MISSING: Any = object()

Path = tuple[str | int, ...]


class Change(NamedTuple):
    """`what` describes the change for people: `messages[0].content: "Hi" → "Hi "`."""

    what: str
    request: Request


def shortened(request: Request) -> Request:
    parsed = parse_body(request.body)
    return request if is_form(parsed) else with_body(request, _short(parsed))


def with_body(request: Request, parsed: Any, **form: Any) -> Request:
    if isinstance(parsed, bytes):
        return replace(request, body=parsed)
    return replace(request, body=json.dumps(parsed, **form).encode())


def meaningful(request: Request) -> Iterator[Change]:
    """The changes that make another request."""
    yield from _elsewhere(request)
    body, parsed = request.body, parse_body(request.body)
    for what, other in (("a byte more", body + b"x"), ("UTF-16", body.decode(errors="replace").encode("utf-16"))):
        yield Change(f"the body: {what}", replace(request, body=other))
    if is_form(parsed):
        changed_forms = form_mutation.meaningful(body)
        yield from (Change(f"the form: {what}", replace(request, body=other)) for what, other in changed_forms)
        return
    if isinstance(parsed, bytes):
        return
    for path, value in _values(parsed):
        for new in _others(value):
            if not _is_ignored(request, path, value, new):
                changed = with_body(request, put(parsed, path, new))
                yield Change(f"{_written(path)}: {_shown(value)} → {_shown(new)}", changed)
    if isinstance(parsed, dict):
        for more in (f'"{ADDED}":1,"{ADDED}":1', f'"{ADDED}":NaN', f'"{ADDED}":Infinity'):
            comma = b"," if parsed else b""
            yield Change(f"{more} more", replace(request, body=body[:-1] + comma + more.encode() + b"}"))


def meaningless(request: Request) -> Iterator[Change]:
    """The changes that keep the meaning. docs/recording.md lists them under "What matches what"."""
    yield Change("no headers", replace(request, headers=()))
    yield Change("another resource", replace(request, uri=request.uri.replace("://", "://another-", 1)))
    if other := _other_generation(request):
        yield Change("the other generation of the API", other)
    parsed = parse_body(request.body)
    if is_form(parsed):
        same_forms = form_mutation.meaningless(request.body)
        yield from (Change(f"the form: {what}", replace(request, body=other)) for what, other in same_forms)
        return
    if isinstance(parsed, bytes):
        return
    yield Change("keys in another order", with_body(request, _reversed_keys(parsed)))
    yield Change("white space", with_body(request, parsed, indent=2))
    with suppress(UnicodeEncodeError):  # half a surrogate pair has no other form
        yield Change("characters instead of escapes", with_body(request, parsed, ensure_ascii=False))
    if isinstance(parsed, dict) and parsed.get("stream", False) is False:
        without = {name: value for name, value in parsed.items() if name != "stream"}
        yield Change("no stream", with_body(request, without))
        yield Change('"stream": false', with_body(request, {**without, "stream": False}))


def _elsewhere(request: Request) -> Iterator[Change]:
    """Changes of method, operation, deployment and query."""
    uri, _, query = request.uri.partition("?")
    pairs = [pair for pair in query.split("&") if pair]
    counted = [at for at, pair in enumerate(pairs) if not pair.lower().startswith("api-version=")]
    yield Change("another method", replace(request, method="PUT"))
    yield Change("another operation", replace(request, uri="?".join([f"{uri}/x", *filter(None, [query])])))
    queries = {"a query more": [*pairs, "x=1"]}
    for at in counted:
        queries[f"without {pairs[at]}"] = pairs[:at] + pairs[at + 1 :]
        queries[f"another {pairs[at]}"] = [*pairs[:at], f"{pairs[at]}x", *pairs[at + 1 :]]
        queries[f"twice {pairs[at]}"] = [*pairs, pairs[at]]
    for what, changed in queries.items():
        yield Change(f"the query: {what}", replace(request, uri=f"{uri}?{'&'.join(changed)}".rstrip("?")))
    if (route := parse(request.uri)) and route.deployment:
        other = uri.replace(f"/{route.deployment}/", f"/{route.deployment}x/")
        yield Change("another deployment", replace(request, uri="?".join([other, *filter(None, [query])])))


def _other_generation(request: Request) -> Request | None:
    route, parsed = parse(request.uri), parse_body(request.body)
    if (
        not route
        or not isinstance(parsed, dict)
        or is_form(parsed)
        or route.query
        or not (deployment := deployment_of(route, parsed))
    ):
        return None
    base = request.uri[: request.uri.index("/openai/")] + "/openai"
    if route.generation == "v1":
        uri = f"{base}/deployments/{deployment}/{route.operation}?api-version=2024-10-21"
        return with_body(replace(request, uri=uri), {name: v for name, v in parsed.items() if name != "model"})
    return with_body(replace(request, uri=f"{base}/v1/{route.operation}"), {**parsed, "model": deployment})


def _is_ignored(request: Request, path: Path, old: Any, new: Any) -> bool:
    """Whether matching ignores the difference: a false `stream`, and the body's model when the path names one."""
    if path == ("stream",):
        return all(value is MISSING or value is False for value in (old, new))
    route = parse(request.uri)
    named = path == ("model",) and route is not None and route.deployment is not None
    return named and all(value is MISSING or isinstance(value, str) for value in (old, new))


def _values(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value with its path, and the places for another member or item."""
    yield path, value
    inner: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, below in inner:
        yield from _values(below, (*path, name))
    if isinstance(value, dict):
        yield (*path, ADDED), MISSING
        if "stream" not in value:
            yield (*path, "stream"), MISSING


def _others(value: Any) -> Iterator[Any]:
    """Values that could be mistaken for this one. None of them equals it."""
    candidates = [MISSING, None, [value] if value is not MISSING else None, *OTHERS[type(value)](value)]
    seen = {_identity(value)}
    for other in candidates:
        if (identity := _identity(other)) not in seen:
            seen.add(identity)
            yield other


OTHERS: dict[type, Callable[[Any], list[Any]]] = {
    str: lambda text: [f"{text} ", f"{text}\0", text.swapcase(), text.strip(), "", *_normalized(text), *_read(text)],
    bool: lambda truth: [not truth, int(truth), str(truth).lower()],
    int: lambda number: [number + 1, -number, float(number), str(number), bool(number), number + 2**64],
    float: lambda number: [math.nextafter(number, math.inf), -number, int(number), str(number)],
    type(None): lambda _: [False, 0, "", "null", [], {}],
    list: lambda items: [items[::-1], [*items, None], items + items[-1:], items[:1], [], {}, dict(enumerate(items))],
    dict: lambda members: [{}, [], list(members.items()), list(members.values())],
    object: lambda _: [False, True, 0, "", [], {}],
}


def _normalized(text: str) -> list[str]:
    return [unicodedata.normalize(form, text) for form in ("NFC", "NFD", "NFKC")]


def _read(text: str) -> list[Any]:
    """The value of a text that is read as JSON, such as 1 for "1"."""
    parsed = parse_body(text.encode(errors="replace"))
    return [] if isinstance(parsed, bytes) else [parsed]


def _identity(value: Any) -> str:
    return "" if value is MISSING else repr(value)


def put(parsed: Any, path: Path, new: Any) -> Any:
    """A copy with another value at the path."""
    if not path:
        return {} if new is MISSING else new
    copy, (name, *rest) = parsed.copy(), path
    if rest:
        copy[name] = put(copy[name], tuple(rest), new)
    elif new is MISSING:
        del copy[name]
    else:
        copy[name] = new
    return copy


def _reversed_keys(value: Any) -> Any:
    if isinstance(value, list):
        return [_reversed_keys(item) for item in value]
    return {name: _reversed_keys(value[name]) for name in reversed(value)} if isinstance(value, dict) else value


def _short(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _short(below) for name, below in value.items()}
    if isinstance(value, list):
        return [_short(item) for item in value[:LONG_LIST]]
    if isinstance(value, str) and len(value) > LONG_TEXT:
        return value[: LONG_TEXT // 2] + value[-LONG_TEXT // 2 :]
    return value


def _written(path: Path) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".") or "the body"


def _shown(value: Any) -> str:
    return "nothing" if value is MISSING else json.dumps(value)[:60]
