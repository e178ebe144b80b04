"""A secret in a cassette is an error. The error names the secret's place, and never the secret."""

import base64
import json
from dataclasses import replace

import pytest

from emulator.scrub.scrub import Known, scrubbed
from emulator.tape.cassette import Interaction
from tests.golden import assert_golden
from tests.lint.planting import CHAT, CHAT_STREAM, RESPONSE_STREAM, SOUND, Workplace, answer, swap

Capsys = pytest.CaptureFixture[str]
KEY = "aB3" * 12
MAIL = b"ada@contoso.com"


def request(interaction: Interaction, **changes: object) -> Interaction:
    return replace(interaction, request=replace(interaction.request, **changes))  # type: ignore[arg-type]


PLANTED = {
    "a header": request(CHAT, headers=(("authorization", f"Bearer {KEY}"),)),
    "a harmless header": request(CHAT, headers=(("x-stainless-os", "Linux"), ("accept", "*/*"))),
    "an internal host": answer(CHAT, headers=(("x-ms-oai-backend-host", "x.inference.ml.azure.com"),)),
    "the address": request(CHAT, uri=f"https://contoso-ai.openai.azure.com/openai/v1/chat/completions?code={KEY}"),
    "no address of Azure's": request(CHAT, uri=f"https://x/api?code={KEY}"),
    "a prompt": request(CHAT, body=b'{"model": "m", "messages": [{"content": "I am ' + MAIL + b'"}]}'),
    "an escape": request(CHAT, body=b'{"model": "m", "messages": [{"content": "I am ada\\u0040contoso.com"}]}'),
    "base64": request(CHAT, body=b'{"model": "m", "a": "' + base64.b64encode(MAIL) + b'"}'),
    "a key": request(CHAT, body=json.dumps({"model": "m", "a": {MAIL.decode(): {"b": f"sk-{KEY}"}}}).encode()),
    "an answer": swap(CHAT, b"Hello", MAIL),
    "an event": swap(CHAT_STREAM, b"Hello", MAIL),
    "two events": swap(swap(CHAT_STREAM, b'":"Hello"', b'":"ada@"'), b'":"\\."', b'":"x.com"'),
    "an event of Responses": swap(RESPONSE_STREAM, b"Hello", MAIL, 0),
}
TEXTS = {
    "a note": "x-emulator: {origin: synthetic, about: written by ada@contoso.com}\n",
    "a comment": "# the key was sk-" + KEY + "\n",
}
SECRETS = (KEY, MAIL.decode(), base64.b64encode(MAIL).decode(), "contoso-ai")


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_secret_is_found(name: str, workplace: Workplace, capsys: Capsys) -> None:
    workplace.tape("planted", PLANTED[name])
    checked = workplace.check(capsys, "--json")
    assert checked.code == 1
    assert "secret" in checked.codes
    assert not any(secret in checked.text for secret in SECRETS)


@pytest.mark.parametrize("name", TEXTS)
def test_one_outside_of_the_recordings_is_found_by_its_line(name: str, workplace: Workplace, capsys: Capsys) -> None:
    path = workplace.tape("planted", CHAT)
    path.write_text("\n" + TEXTS[name] + path.read_text().split("\n", 2)[2])
    (error,) = (one for one in workplace.check(capsys, "--json").findings if one["severity"] == "error")
    assert (error["code"], error["place"]) == ("secret", "tapes/planted.yaml:2")


def test_one_in_a_file_that_cannot_be_read_is_found(workplace: Workplace, capsys: Capsys) -> None:
    workplace.tape("planted").write_text(f"interactions: sk-{KEY}\n")
    assert workplace.check(capsys, "--json").codes == {"secret", "unreadable"}


def test_what_a_user_reads_of_secrets(workplace: Workplace, capsys: Capsys) -> None:
    texts = []
    for name, interaction in PLANTED.items():
        workplace.tape("planted", interaction)
        lines = [line for line in workplace.check(capsys).text.splitlines() if line.startswith("error")]
        texts.append("\n".join([f"--- {name}", *lines, ""]))
    assert_golden("../lint/golden/secrets.txt", "".join(texts))


def test_what_was_scrubbed_has_none(workplace: Workplace, capsys: Capsys) -> None:
    workplace.tape(
        "clean", *[scrubbed(interaction, Known("https://contoso-ai.openai.azure.com")) for interaction in SOUND]
    )
    assert workplace.check(capsys).code == 0
