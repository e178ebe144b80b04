"""A stub as one line of Python, and as JSON (docs/stubs.md, "As JSON")."""

from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from .condition import Condition
from .error import StubError
from .outcome import NOTHING
from .wording import listed, shown, written

if TYPE_CHECKING:
    from .stub import Stub

PARTS = ("when", "then", "times", "optional")
CONDITIONS = tuple(field.name for field in fields(Condition) if field.name != "where")


def sentence(stub: "Stub") -> str:
    """The stub as a test declares it, with long values cut."""
    said, often = stub.outcome, {} if stub.times == 1 else {"times": stub.times}
    conditions = filter(None, (str(stub.condition), listed(often | ({"optional": True} if stub.optional else {}))))
    verbs = [f"on({', '.join(conditions)})"]
    if said.thought or said.summary:
        verbs.append(f"thinks({said.thought}{f', {shown(said.summary)}' if said.summary else ''})")
    if said.texts or said.json is not NOTHING:
        named = ({} if said.json is NOTHING else {"json": said.json}) | ({"cut": True} if said.cut else {})
        verbs.append(f"answers({listed(named, tuple(map(shown, said.texts)))})")
    for name, arguments in said.calls:
        plain = [shown(name)] if all(map(str.isidentifier, arguments)) else [shown(name), shown(arguments)]
        verbs.append(f"calls({listed({} if len(plain) > 1 else dict(arguments), tuple(plain))})")
    if said.vectors is not None:
        verbs.append(f"embeds({', '.join(map(shown, said.vectors))})")
    if said.fault:
        verbs.append(f"fails({written(str(said.fault))})")
    return ".".join(verbs)


def write(stub: "Stub") -> dict[str, Any]:
    if stub.condition.where:
        raise StubError(f"{stub} cannot be JSON, because its where= is a function.")
    said = stub.outcome
    then = {
        "answers": (said.texts[0] if len(said.texts) == 1 else list(said.texts)) if said.texts else None,
        "calls": [{"name": name, "arguments": dict(arguments)} for name, arguments in said.calls] or None,
        "thinks": {"tokens": said.thought, "summary": said.summary} if said.thought or said.summary else None,
        "cut": said.cut or None,
        "embeds": None if said.vectors is None else list(map(list, said.vectors)) or True,
        "fails": str(said.fault) if said.fault else None,
    }
    told = {name: value for name, value in then.items() if value is not None}
    told |= {} if said.json is NOTHING else {"json": said.json}
    return {"when": stub.condition.named, "then": told, "times": stub.times, "optional": stub.optional}


def read(kind: "type[Stub]", told: Any) -> "Stub":
    _require_object("a stub", told, PARTS)
    when, then = told.get("when", {}), told.get("then")
    if isinstance(when, dict) and "where" in when:
        raise StubError("when.where is a function in Python and cannot be JSON. Use contains, path or the others.")
    _require_object("when", when, CONDITIONS)
    _require_object("then", then, (*VERBS, "cut"))
    _require("optional", told.get("optional", False), bool, "true or false")
    if _cut(then) and "answers" not in then and "json" not in then:
        raise StubError("then.cut cuts a text. Add answers or json.")
    stub = kind(Condition(**when), told.get("times", 1), told.get("optional", False))
    for name, verb in VERBS.items():
        if name in then:
            verb(stub, then[name], then)
    if not stub.outcome.answers and not stub.outcome.fault:
        raise StubError(f"then has no answer. Add one of {', '.join(name for name in VERBS if name != 'thinks')}.")
    return stub


def _answers(stub: "Stub", value: Any, then: dict[str, Any]) -> None:
    texts = [value] if isinstance(value, str) else value
    _require("then.answers", texts, list, "a text, or an array of texts")
    stub.answers(*texts, cut=_cut(then))


def _json(stub: "Stub", value: Any, then: dict[str, Any]) -> None:
    stub.answers(json=value, cut=_cut(then))


def _calls(stub: "Stub", value: Any, _: dict[str, Any]) -> None:
    _require("then.calls", value, list, 'an array, as in [{"name": "f", "arguments": {}}]')
    for call in value:
        _require_object("then.calls", call, ("name", "arguments"))
        _require("then.calls: name", call.get("name"), str, "a function's name")
        _require("then.calls: arguments", call.get("arguments", {}), dict, "an object")
        stub.calls(call["name"], call.get("arguments"))


def _thinks(stub: "Stub", value: Any, _: dict[str, Any]) -> None:
    _require_object("then.thinks", value, ("tokens", "summary"))
    _require("then.thinks: tokens", value.get("tokens"), int, "a number of tokens")
    _require("then.thinks: summary", value.get("summary", ""), str, "a text")
    stub.thinks(value["tokens"], value.get("summary", ""))


def _embeds(stub: "Stub", value: Any, _: dict[str, Any]) -> None:
    vectors = [] if value is True else value
    _require("then.embeds", vectors, list, "true, or an array of vectors")
    stub.embeds(*vectors)


def _fails(stub: "Stub", value: Any, _: dict[str, Any]) -> None:
    stub.fails(value)


VERBS: dict[str, Callable[["Stub", Any, dict[str, Any]], None]] = {  # in order: a fault comes after its answer
    "answers": _answers,
    "json": _json,
    "calls": _calls,
    "thinks": _thinks,
    "embeds": _embeds,
    "fails": _fails,
}


def _cut(then: dict[str, Any]) -> bool:
    _require("then.cut", then.get("cut", False), bool, "true or false")
    return bool(then.get("cut", False))


def _require(place: str, value: Any, kind: type, what: str) -> None:
    if type(value) is not kind:
        raise StubError(f"{place} must be {what}, not {shown(value)}.")


def _require_object(place: str, value: Any, names: Iterable[str]) -> None:
    _require(place, value, dict, f"an object with {', '.join(names)}")
    if unknown := [name for name in value if name not in names]:
        raise StubError(f"{place} does not take {shown(unknown[0])}. It takes {', '.join(names)}.")
