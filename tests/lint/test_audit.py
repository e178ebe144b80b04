"""`python -m emulator check --audit`: a recording answers its own request in every form, and no other request."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emulator.lint import audit, read
from emulator.lint.context import Context
from emulator.lint.finding import Finding
from emulator.stack import ROOT
from emulator.tape import canonical, meaning
from emulator.tape.canonical import Key
from emulator.tape.interaction import Interaction
from emulator.tape.route import Route
from tests.golden import assert_golden
from tests.lint.planting import CHAT, SOUND, Workplace

Capsys = pytest.CaptureFixture[str]
REAL = ROOT.parent / "shared/azure-recordings"
DATED = "https://any.openai.azure.com/openai/deployments/gpt-4o-mini/chat/completions?api-version=2024-10-21"
ITEMS = "https://any.openai.azure.com/openai/v1/responses/resp_1/input_items?limit=1&include[]=a"
RICH = {
    "model": "gpt-4o-mini",
    "messages": [{"role": "user", "content": "Café  "}, {"role": "user", "content": [{"type": "text", "text": "1"}]}],
    "temperature": 0.5,
    "top_p": 1.0,
    "n": 1,
    "seed": None,
    "logprobs": True,
    "stop": ["a", "b"],
    "metadata": {},
    "stream": False,
}


def asked(body: Any, uri: str = CHAT.request.uri, method: str = "POST") -> Interaction:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return replace(CHAT, request=replace(CHAT.request, body=content, uri=uri, method=method))


WORDS = (asked(RICH), asked(RICH, DATED), asked([1, 2]), asked(b"no json"), asked(b"", ITEMS, "GET"))
TAPE = (*WORDS, *SOUND)


def audited(place: Workplace, *interactions: Interaction) -> list[Finding]:
    place.tape("one", *interactions)
    return list(audit.check(read([Path("tapes")]), Context()))


def errors(found: list[Finding]) -> list[str]:
    return [finding.message for finding in found if finding.severity == "error"]


def test_no_change_goes_unnoticed_and_no_other_form_is_a_miss(workplace: Workplace) -> None:
    found = audited(workplace, *TAPE)
    assert errors(found) == []
    another, same = (int(number.replace(",", "")) for number in re.findall(r"[\d,]+\d", found[-1].message))
    assert another > 900
    assert same > 50


@pytest.mark.parametrize("folder", [ROOT / "cassettes", REAL])
def test_every_cassette_stands_the_audit(folder: Path) -> None:
    if not folder.is_dir():
        pytest.skip(f"{folder} is not here")
    assert errors(list(audit.check(read([folder]), Context()))) == []


def encoded(change: Callable[[str], str]) -> Callable[[Any], str]:
    return lambda value: change(json.dumps(value, sort_keys=True))


def mapped(change: Callable[[Any], Any]) -> Callable[[Any], str]:
    """An encoder that changes every value before the comparison."""

    def deep(value: Any) -> Any:
        if isinstance(value, dict):
            value = {name: deep(inner) for name, inner in value.items()}
        return change([deep(inner) for inner in value] if isinstance(value, list) else value)

    return lambda value: json.dumps(deep(value), sort_keys=True)


def keyed(**changes: Any) -> Callable[[str, Route, Any], Key]:
    def key_of(method: str, route: Route, parsed: Any) -> Key:
        return canonical.key_of(method, route, parsed)._replace(**changes)

    return key_of


def is_text(value: Any) -> bool:
    return isinstance(value, str)


WEAK: dict[str, tuple[Any, str, Any]] = {
    # the finding: (module, name, the replacement)
    'seed: null → nothing': (canonical, "_encode", mapped(
        lambda v: {name: inner for name, inner in v.items() if inner is not None} if isinstance(v, dict) else v
    )),
    'messages[0].role: "user" → "USER"': (canonical, "_encode", encoded(str.lower)),
    'messages[0].role: "user" → "user "': (canonical, "_encode", mapped(lambda v: v.strip() if is_text(v) else v)),
    'messages[0].content: "Caf\\u00e9  " → "Cafe\\u0301  "': (
        canonical, "_encode", mapped(lambda v: v.replace("e\u0301", "\u00e9") if is_text(v) else v)
    ),
    'logprobs: true → 1': (canonical, "_encode", mapped(lambda v: int(v) if isinstance(v, bool) else v)),
    'n: 1 → 1.0': (canonical, "_encode", mapped(lambda v: float(v) if type(v) is int else v)),
    'n: 1 → "1"': (canonical, "_encode", mapped(lambda v: str(v) if type(v) is int else v)),
    'stop: ["a", "b"] → ["b", "a"]': (
        canonical, "_encode", mapped(lambda v: sorted(v, key=repr) if isinstance(v, list) else v)
    ),
    'temperature: 0.5 → 0.5000000000000001': (
        canonical, "_encode", mapped(lambda v: round(v, 9) if isinstance(v, float) else v)
    ),
    'messages[0].stream: nothing → false': (
        canonical, "_encode", mapped(lambda v: {n: v[n] for n in v if n != "stream"} if isinstance(v, dict) else v)
    ),
    '"x-audit":NaN more': (canonical, "_encode", encoded(lambda text: re.sub(r', "x-audit": NaN', "", text))),
    "the query: another limit=1": (meaning, "key_of", keyed(query=())),
    "another method": (meaning, "key_of", keyed(method="")),
    "another operation": (meaning, "key_of", keyed(operation="")),
    "another deployment": (meaning, "key_of", keyed(deployment="")),
    "the body: a byte more": (meaning, "key_of", keyed(body=b"")),
}  # fmt: skip


@pytest.mark.parametrize("told", WEAK)
def test_a_matcher_that_takes_one_for_the_other_is_found_out(
    told: str, workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "NaN" in told:
        monkeypatch.setattr(canonical, "_decode", json.JSONDecoder().decode)
    monkeypatch.setattr(*WEAK[told])
    found = errors(audited(workplace, *WORDS))
    assert f"would also answer another request: {told}" in found


STRICT: dict[str, tuple[Any, str, Any]] = {
    "keys in another order": (canonical, "_encode", json.dumps),
    "white space": (canonical, "_decode", lambda text: {"text": text}),
    '"stream": false': (canonical, "canonical_body", lambda parsed: parsed),
    "the other generation of the API": (canonical, "canonical_body", lambda parsed: parsed),
}


@pytest.mark.parametrize("told", STRICT)
def test_a_matcher_that_misses_the_same_request_is_found_out(
    told: str, workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(*STRICT[told])
    found = errors(audited(workplace, *TAPE))
    assert f"would miss the same request in another form: {told}" in found


def test_recordings_that_nobody_can_tell_apart_are_told(workplace: Workplace, capsys: Capsys) -> None:
    again = replace(CHAT, request=replace(CHAT.request, headers=(("user-agent", "another"),)))
    elsewhere = replace(CHAT, request=replace(CHAT.request, uri=f"{CHAT.request.uri}?api-version=preview"))
    workplace.tape("one", CHAT, CHAT, again, elsewhere)
    checked = workplace.check(capsys, "--audit")
    assert checked.code == 0
    assert_golden("../lint/golden/alike.txt", checked.text)


def test_a_change_that_goes_unnoticed_is_an_error(
    workplace: Workplace, capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    workplace.tape("one", CHAT)
    monkeypatch.setattr(canonical, "_encode", encoded(str.lower))
    checked = workplace.check(capsys, "--audit")
    assert checked.code == 1
    assert_golden("../lint/golden/unnoticed.txt", checked.text)


def test_without_the_option_nothing_is_audited(workplace: Workplace, capsys: Capsys) -> None:
    workplace.tape("one", CHAT, CHAT)
    assert "audit" not in workplace.check(capsys).text
