"""A picture costs a picture's tokens, however many bytes it has: in rate limits, and in `--max-tokens`."""

import base64
import json
import random
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from emulator.azure import FakeAzure
from emulator.azure.limits import Limits
from emulator.match.library import Library
from emulator.recording.budget import Budget, Spent
from emulator.server import bind, serving
from emulator.tape.estimate import DRAWN_TOKENS, PICTURE_TOKENS, expected_tokens
from emulator.tape.interaction import Request
from tests.support import recording

PHOTO = base64.b64encode(random.Random(0).randbytes(300_000)).decode()
PNG, PDF = f"data:image/png;base64,{PHOTO}", f"data:application/pdf;base64,{PHOTO}"
ODD = f"DATA:;charset=utf-8;name=a;BASE64,{PHOTO}"
TEXT = {"type": "text", "text": "What is in it?"}
NEAR = 150  # tokens that names and brackets may add


def chat(*parts: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [TEXT, *parts]}]}


def responses(*items: Any) -> dict[str, Any]:
    return {"input": [{"type": "message", "role": "user", "content": items}]}


def image(url: Any) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url, "detail": "high"}}


SCREEN = {"type": "computer_call_output", "call_id": "c", "output": {"type": "computer_screenshot", "image_url": PNG}}
SEEN = {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_image", "image_url": PNG}]}
PICTURES: dict[str, tuple[dict[str, Any], int]] = {
    "chat": (chat(image(PNG)), 1),
    "chat, several": (chat(image(PNG), TEXT, image(PNG), image(ODD)), 3),
    "chat, without an object": (chat({"type": "image_url", "image_url": PNG}), 1),
    "chat, a file": (chat({"type": "file", "file": {"filename": "a.pdf", "file_data": PDF}}), 1),
    "chat, a voice": (chat({"type": "input_audio", "input_audio": {"data": PHOTO, "format": "wav"}}), 1),
    "responses": (responses({"type": "input_image", "image_url": PNG}), 1),
    "responses, a file": (responses({"type": "input_file", "filename": "a.pdf", "file_data": PDF}), 1),
    "responses, both": (
        responses({"type": "input_file", "file_data": PDF}, {"type": "input_image", "image_url": ODD, "detail": "low"}),
        2,
    ),
    "responses, what a tool saw": ({"input": [SCREEN, SEEN, SEEN]}, 3),
    "responses, what was drawn": ({"input": [{"type": "image_generation_call", "id": "ig", "result": PHOTO}]}, 1),
    "responses, what is to be drawn": (
        {"input": "", "tools": [{"type": "image_generation", "input_image_mask": {"image_url": PNG}}]},
        1,
    ),
    "no base64 after all": (chat(image("data:image/png;base64,%%%" + "*" * 400_000)), 1),
}
TEXTS: dict[str, dict[str, Any]] = {
    "a prompt": {"messages": [{"role": "user", "content": PNG}]},
    "a prompt with one in it": chat({"type": "text", "text": f"<img src='{PNG}'>"}),
    "a prompt in Responses": responses({"type": "input_text", "text": PNG}),
    "a plain input": {"input": PNG},
    "arguments of a tool": {"input": [{"type": "function_call", "arguments": json.dumps(image(PNG))}]},
    "metadata": {"input": "", "metadata": {"image_url": PNG, "file_data": PDF, "data": PHOTO}},
    "an address": chat(image(f"https://a.example/?of={PNG}")),
    "no comma": chat(image(PNG.replace(",", ""))),
    "no scheme": chat(image(PHOTO)),
    "another scheme": chat(image(f"x{PNG}")),
    "blanks": chat(image(f"data: so says the text, {PHOTO}")),
    "a name of a file": chat({"type": "file", "file": {"filename": PNG}}),
    "a type that is none": chat({"type": ["image_url"], "image_url": {"url": PNG}}),
}


class Counting:
    """The tokens that the rate limit counts for a call."""

    def __init__(self, client: httpx.Client, azure: FakeAzure) -> None:
        self.client, self.azure = client, azure

    def tokens(self, body: bytes) -> int:
        self.azure.limits = Limits(tokens=10_000_000)
        self.azure.library = Library([recording(body, b"{}")])
        answer = self.client.post("/openai/v1/chat/completions", content=body)
        assert answer.status_code == 200
        return 10_000_000 - int(answer.headers["x-ratelimit-remaining-tokens"])


@pytest.fixture(scope="module")
def counting() -> Iterator[Counting]:
    azure = FakeAzure(Library())
    with serving(azure, bind(0)) as base, httpx.Client(base_url=base, headers={"api-key": azure.api_key}) as client:
        yield Counting(client, azure)


def spelled(body: dict[str, Any], **how: Any) -> bytes:
    return json.dumps({"model": "gpt-4o", "max_tokens": 50} | body, **how).encode()


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_counts_as_a_picture(counting: Counting, name: str) -> None:
    body, pictures = PICTURES[name]
    expected = pictures * PICTURE_TOKENS + 50
    as_php, as_dotnet = (spelled(body).replace(*pair) for pair in ((b"/", b"\\/"), (b"+", b"\\u002b")))
    for asked in (spelled(body), spelled(body, indent=2), as_php, as_dotnet):
        assert expected < counting.tokens(asked) < expected + NEAR


@pytest.mark.parametrize("name", TEXTS)
def test_what_only_looks_like_a_picture_counts_as_text(counting: Counting, name: str) -> None:
    asked = spelled(TEXTS[name])
    assert counting.tokens(asked) == len(asked) // 3 + 50


def test_the_text_beside_a_picture_counts(counting: Counting) -> None:
    words, accents = "word " * 3_000, "é" * 3_000
    for text, tokens in ((words, 5_000), (accents, 2_000), ("\ud800" * 3_000, 3_000)):
        asked = spelled(chat(image(PNG), TEXT | {"text": text}))
        assert abs(counting.tokens(asked) - PICTURE_TOKENS - 50 - tokens) < NEAR


def test_a_file_that_is_uploaded_counts_as_a_picture(counting: Counting) -> None:
    asked = (
        b'--b\r\ncontent-disposition: form-data; name="image"; filename="a"\r\n\r\n' + b"\xff" * 400_000 + b"\r\n--b--"
    )
    path = "/openai/deployments/gpt-image-1/images/edits?api-version=2025-04-01-preview"
    assert expected_tokens(Request("POST", path, (), asked)) == PICTURE_TOKENS + DRAWN_TOKENS["high"]


def test_a_photo_fits_into_what_a_class_has_a_minute(counting: Counting) -> None:
    asked = spelled(chat(image(PNG)))
    counting.azure.library, counting.azure.limits = Library([recording(asked, b"{}")]), Limits(tokens=4_000)
    answers = [counting.client.post("/openai/v1/chat/completions", content=asked) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]


def test_a_photo_fits_into_the_budget_of_a_recording() -> None:
    asked = Request("POST", "https://x/openai/v1/chat/completions", (), spelled(chat(image(PNG))))
    assert Budget(tokens=2_000).refusal(Spent(), expected_tokens(asked)) is None
