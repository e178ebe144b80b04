"""`check --audit` with declared slack: each change of a request is noticed, unless a declaration names it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emulator.lint import audit, read
from emulator.lint.context import Context
from emulator.match import slack
from emulator.match.slack import Slack, SlackError
from tests.golden import assert_golden
from tests.lint.planting import CHAT, SYNTHETIC, Workplace
from tests.lint.test_audit import RICH, asked, errors

DAY = "Today is 2026-11-28, 10:15."
ASKED = RICH | {
    "messages": [{"role": "system", "content": DAY}, {"role": "user", "content": [{"type": "text", "text": DAY}]}],
    "metadata": {"run": "a1", "more": {"run": 2}},
    "tools": [{"type": "function", "function": {"name": name, "description": name.upper()}} for name in "ab"],
}
RULES: dict[str, Any] = {
    "messages[*].content": ["date", "/Today/"],
    "metadata.run": "any",
    "tools[*].function.description": "any",
}


def audited(place: Workplace, rules: dict[str, Any], project: Slack = slack.NONE) -> list[str]:
    place.tape("one", asked(ASKED), notes=SYNTHETIC | {"slack": rules})
    return errors(list(audit.check(read([Path("tapes")], project), Context())))


def test_every_change_is_noticed_but_the_declared_ones(workplace: Workplace) -> None:
    assert audited(workplace, RULES) == []
    assert audited(workplace, {}, slack.parse(RULES)) == []


@pytest.mark.parametrize(
    ("wider", "told"),
    [
        ({"metadata": "any"}, "metadata.more.run: 2 → 3"),
        ({"messages[*].role": "any"}, 'messages[0].role: "system" → "SYSTEM"'),
        ({"tools[*].function": "any"}, 'tools[0].function.name: "a" → "A"'),
        ({"messages[*].content": ["date", "/(?i:today)/"]}, "messages[0].content: "),
        ({"top_p": "any"}, "top_p: 1.0 → 1"),
    ],
)
def test_a_matcher_that_ignores_more_than_is_declared_is_found_out(
    wider: dict[str, Any], told: str, workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    ignores, key_of = slack.parse(RULES | wider), Slack.key_of
    monkeypatch.setattr(Slack, "key_of", lambda _, key, parsed: key_of(ignores, key, parsed))
    found = audited(workplace, RULES)
    assert any(f"would also answer another request: {told}" in one for one in found), found


def test_a_matcher_that_ignores_less_than_is_declared_is_found_out(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Slack, "key_of", lambda *_: None)
    found = audited(workplace, RULES)
    assert "would be a miss, though it may vary: metadata.run (any): another value" in found


def test_what_the_audit_says_of_declarations(workplace: Workplace, capsys: pytest.CaptureFixture[str]) -> None:
    workplace.tape("one", CHAT, notes=SYNTHETIC | {"slack": {"metadata.rum": "any"}})
    dated = replace(CHAT, request=replace(CHAT.request, body=json.dumps(ASKED).encode()))
    workplace.tape("two", dated, notes=SYNTHETIC | {"slack": RULES})
    checked = workplace.check(capsys, "--audit")
    assert checked.code == 0, checked.text
    assert_golden("../lint/golden/slack.txt", checked.text)


def test_recordings_of_two_files_that_differ_in_what_may_vary_are_told(
    workplace: Workplace, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, day in (("one", "2026-11-28"), ("two", "2026-11-29")):
        body = json.dumps({"model": "m", "input": day}).encode()
        once = replace(CHAT, request=replace(CHAT.request, body=body))
        workplace.tape(name, once, notes=SYNTHETIC | {"slack": {"input": "date"}})
    assert "two.yaml #1: the same request as tapes/one.yaml #1; they take turns" in workplace.check(capsys).text


def test_a_rule_that_is_refused_is_an_error_in_its_line(
    workplace: Workplace, capsys: pytest.CaptureFixture[str]
) -> None:
    workplace.tape("one", CHAT, notes=SYNTHETIC | {"slack": {"model": "any"}})
    checked = workplace.check(capsys)
    assert checked.code == 1
    assert "error tapes/one.yaml:4: x-emulator: model: model decides the answer, and must not vary" in checked.text


def test_what_the_project_declares_is_read_too(workplace: Workplace, capsys: pytest.CaptureFixture[str]) -> None:
    workplace.tape("one", CHAT)
    Path("pyproject.toml").write_text('[tool.azure-openai-emulator.slack]\nmodel = "any"\n')
    with pytest.raises(SlackError, match="model decides the answer"):
        workplace.check(capsys)
