"""Why no recording matched: the nearest one, what differs, what to do. Deciding and explaining use the same canonical
form, so that the explanation cannot drift from the decision."""

import json
from collections.abc import Iterator
from typing import Any

from .canonical import Key, canonical_body, parse_body
from .cassette import Interaction

VALUE_WIDTH = 100  # characters of each differing value that are shown
DIFFERENCES_SHOWN = 3
MISSING = object()


def explain(key: Key, body: bytes, candidates: list[tuple[Key, Interaction]]) -> str:
    """A message of a few lines for the person whose test just failed."""
    wanted = f"No recording matches {key.method} {key.operation}" + (f" on {key.deployment}" if key.deployment else "")
    how = "To add one, see cassettes/README.md."
    if not candidates:
        return f"{wanted}; there is none for this operation. {how}"
    sent = _compared(key, body)
    ranked = [(list(differences(_compared(k, i.request.body), sent)), i) for k, i in candidates]
    nearest, interaction = min(ranked, key=lambda item: len(item[0]))
    lines = [f"{path}: recorded {_short(old)}, sent {_short(new)}" for path, old, new in nearest[:DIFFERENCES_SHOWN]]
    more = len(nearest) - len(lines)
    return (
        f"{wanted}. The nearest is {interaction.label}, which differs at\n  "
        + "\n  ".join(lines)
        + (f"\n  and {more} more" if more > 0 else "")
        + f"\n{how}"
    )


def differences(recorded: Any, sent: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(JSON path, recorded value, sent value) wherever the two differ, as deep as possible."""
    if isinstance(recorded, dict) and isinstance(sent, dict):
        for name in dict.fromkeys([*recorded, *sent]):
            yield from differences(recorded.get(name, MISSING), sent.get(name, MISSING), f"{path}.{name}".lstrip("."))
    elif isinstance(recorded, list) and isinstance(sent, list) and len(recorded) == len(sent):
        for index, (old, new) in enumerate(zip(recorded, sent, strict=True)):
            yield from differences(old, new, f"{path}[{index}]")
    elif type(recorded) is not type(sent) or recorded != sent:
        yield path or "the body", recorded, sent


def _compared(key: Key, body: bytes) -> Any:
    compared = canonical_body(parse_body(body))
    facts: dict[str, Any] = {"model": key.deployment} if key.deployment else {}
    if key.query:
        facts["query"] = [list(pair) for pair in key.query]
    return {**facts, **compared} if isinstance(compared, dict) else {**facts, "body": compared}


def _short(value: Any) -> str:
    if value is MISSING:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= VALUE_WIDTH else f"{text[: VALUE_WIDTH - 1]}…"
