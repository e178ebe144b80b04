"""No secret gets into a cassette with a form, a sound or a picture; and no sound is changed because chance looks like
a secret."""

import base64
import random
import time
from dataclasses import replace

import httpx
import pytest

from emulator.scrub.scrub import SecretFound, leaks, scrubbed
from emulator.tape.interaction import Interaction
from tests.scrub.canaries import BASE, KEY, KNOWN, SECRETS, answering, asking

TARGET = f"{BASE}/openai/v1/audio/transcriptions"
NOISE = b"RIFF\0\0\0\0WAVE" + random.Random(0).randbytes(50_000)
MASTER = SECRETS["e-mail"][0]  # what a sound file's comment may say
BYTES = (("Content-Type", "application/octet-stream"),)


def form(file: bytes = NOISE, name: str = "a.wav", kind: str = "audio/wav", **fields: str) -> Interaction:
    sent = httpx.Request("POST", TARGET, data=fields, files={"file": (name, file, kind)})
    return asking(sent.read(), ("content-type", sent.headers["content-type"]), uri=TARGET)


def refused(interaction: Interaction) -> str:
    with pytest.raises(SecretFound) as found:
        scrubbed(interaction, KNOWN)
    return str(found.value)


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_in_a_field_is_replaced_and_named(kind: str) -> None:
    text, secret = SECRETS[kind]
    asked = form(prompt=text)
    assert [leak.place for leak in leaks(asked, KNOWN)][:1] == ["request body prompt"]
    if kind == "private key":
        assert "request body prompt" in refused(asked)
        return
    clean = scrubbed(asked, KNOWN)
    assert secret.encode() not in clean.request.body
    assert NOISE in clean.request.body


@pytest.mark.parametrize("where", ["filename", "content type", "name of a field"])
def test_a_secret_in_the_headers_of_a_part_is_replaced(where: str) -> None:
    mail = SECRETS["e-mail"][1]
    asked = {
        "filename": form(name=f"{mail}.wav"),
        "content type": form(kind=f"audio/wav; by={mail}"),
        "name of a field": form(**{mail: "1"}),
    }[where]
    assert mail.encode() in asked.request.body
    assert mail.encode() not in scrubbed(asked, KNOWN).request.body


def utf_16(text: str) -> bytes:
    return text.encode("utf-16")


@pytest.mark.parametrize("spelled", [str.encode, utf_16], ids=["utf-8", "utf-16"])
@pytest.mark.parametrize("kind", ["e-mail", "OpenAI key", "GitHub token", "known key", "token", "connection string"])
def test_a_secret_inside_a_sound_is_refused(kind: str, spelled: "type[str.encode]") -> None:  # type: ignore[valid-type]
    """It cannot be replaced, because a file's lengths and checksums would no longer fit."""
    text = SECRETS[kind][0]
    file = NOISE + spelled(f"comment: {text} (C) nobody") + NOISE  # type: ignore[operator]
    assert "request body file" in refused(form(file))
    assert "response body" in refused(answering(file, *BYTES, headers=BYTES))


def test_what_the_recorder_knows_is_found_anywhere_in_a_sound() -> None:
    assert "known secret" in refused(form(NOISE + KEY.encode() + NOISE))


def test_a_text_that_says_that_it_is_a_file_is_searched_as_a_text() -> None:
    mail = SECRETS["e-mail"][1]
    clean = scrubbed(answering(f"by {mail}".encode(), headers=(("Content-Type", "audio/mpeg"),)), KNOWN)
    assert b"person-1@example.com" in clean.response.body
    assert mail.encode() not in scrubbed(form(f"by {mail}".encode(), "a.txt", "text/plain"), KNOWN).request.body


def test_chance_is_no_secret() -> None:
    """Noise is full of short texts such as `a@b.cd`, and stays as it is."""
    noise = b"\x89PNG" + random.Random(1).randbytes(3_000_000) + b"\x00a@b.cd\x00\xffx@y.zz\xff"
    clean = scrubbed(replace(form(noise), response=answering(noise, headers=BYTES).response), KNOWN)
    assert noise in clean.request.body
    assert clean.response.body == noise


@pytest.mark.long
def test_large_files_are_searched_in_a_moment() -> None:
    started = time.monotonic()
    scrubbed(form(random.Random(2).randbytes(5_000_000)), KNOWN)
    scrubbed(form(bytes(5_000_000)), KNOWN)
    picture = base64.b64encode(random.Random(3).randbytes(1_000_000))
    scrubbed(answering(b'{"data":[{"b64_json":"' + picture + b'"}]}'), KNOWN)
    assert time.monotonic() - started < 20
