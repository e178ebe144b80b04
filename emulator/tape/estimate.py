"""An estimate of the tokens that a request may use, made before its answer."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from .canonical import parse_body
from .form import is_form, parts_of, text_of
from .interaction import Request
from .media import media_of
from .route import parse

BYTES_PER_TOKEN = 3  # English has about 4, JSON and other languages fewer
UNNAMED_OUTPUT_TOKENS = 1_000  # a likely answer of a call that names no limit
PICTURE_TOKENS = 1_500  # about the most of gpt-4o: 85, and 170 for each of 8 tiles (OpenAI, "Images and vision")
DATA_URI = re.compile(r"data:[^,\s]*,", re.IGNORECASE)  # RFC 2397
URIS, BASE64 = ("image_url", "url", "file_data"), ("data", "result")
PICTURES = {  # types of parts and items: the members, at any depth, that hold a picture or a file
    "image_url": URIS,
    "file": URIS,
    "input_image": URIS,
    "input_file": URIS,
    "computer_screenshot": URIS,
    "image_generation": URIS,
    "input_audio": BASE64,
    "image_generation_call": BASE64,
}
OUTPUT_LIMITS = ("max_output_tokens", "max_completion_tokens", "max_tokens")
BYTES_PER_SECOND = 4_000  # of sound: 32 kbit/s; a file of fewer is longer than it is counted
HEARD_TOKENS, SAID_TOKENS = 10, 5  # for each second: of the sound (OpenAI, "Realtime API"), of what is said in it
SPOKEN_TOKENS = 2  # of sound, for each character: 20 a second, in which people say 12 characters
DRAWN_TOKENS = {"low": 408, "medium": 1_584, "high": 6_240}  # the most of any size (OpenAI, "Image generation")
PARTIAL_TOKENS = 100  # for each partial image


def expected_tokens(request: Request) -> int:
    """About the most tokens that a call will use. A file of any kind and size counts as one picture, but sound by its
    length."""
    if request.method != "POST":
        return 0
    parsed, route = parse_body(request.body), parse(request.uri)
    size, pictures = _size(request.body, parsed)
    answers = ANSWERS.get(route.operation if route else "", _text)
    told = parsed if isinstance(parsed, dict) else {}
    return size // BYTES_PER_TOKEN + pictures * PICTURE_TOKENS + answers(told, request.body)


Answers = Callable[[Mapping[str, Any], bytes], int]


def _text(told: Mapping[str, Any], _: bytes) -> int:
    limit = next((told[name] for name in OUTPUT_LIMITS if type(told.get(name)) is int), UNNAMED_OUTPUT_TOKENS)
    return max(0, limit * _number(told, "n", 1))


def _nothing(_: Mapping[str, Any], __: bytes) -> int:
    return 0


def _speech(told: Mapping[str, Any], _: bytes) -> int:
    return SPOKEN_TOKENS * len(str(told.get("input", "")))


def _hearing(_: Mapping[str, Any], body: bytes) -> int:
    """Sound that comes in, and text that goes out."""
    files = [body[part.start : part.end] for part in parts_of(body) if text_of(body, part) is None]
    lengths = (media_of(file).seconds or len(file) / BYTES_PER_SECOND for file in files)
    return round(sum(lengths) * (HEARD_TOKENS + SAID_TOKENS))


def _images(told: Mapping[str, Any], _: bytes) -> int:
    one = DRAWN_TOKENS.get(str(told.get("quality")), DRAWN_TOKENS["high"])
    return max(0, one * _number(told, "n", 1) + PARTIAL_TOKENS * _number(told, "partial_images", 0))


ANSWERS: Mapping[str, Answers] = {
    "embeddings": _nothing,
    "audio/speech": _speech,
    "audio/transcriptions": _hearing,
    "audio/translations": _hearing,
    "images/generations": _images,
    "images/edits": _images,
}


def _number(told: Mapping[str, Any], name: str, otherwise: int) -> int:
    """In a form, numbers are texts."""
    value = told.get(name)
    if isinstance(value, str) and is_form(told) and value.isdecimal() and len(value) < 10:
        return int(value)
    return value if type(value) is int else otherwise


def _size(body: bytes, parsed: Any) -> tuple[int, int]:
    """The bytes of text in a body, and the number of its pictures."""
    if is_form(parsed):
        return _form_size(body)
    if parsed is body and body.startswith(b"--"):  # a form that could not be read
        return 0, 1
    pictures = list[str]()
    text = _without_pictures(parsed, (), pictures)
    if not pictures:
        return len(body), 0
    spelled = json.dumps(text, ensure_ascii=False, separators=(",", ":"))
    return len(spelled.encode(errors="surrogatepass")), len(pictures)


def _form_size(body: bytes) -> tuple[int, int]:
    """Sound is no picture, and is counted by its length."""
    texts = pictures = 0
    for part in parts_of(body):
        if text_of(body, part) is not None:
            texts += part.end - part.start
        elif part.name != "file":
            pictures += 1
    return texts, pictures


def _without_pictures(value: Any, members: tuple[str, ...], pictures: list[str]) -> Any:
    """The value without its pictures, which go into the list. `members` are the names that hold a picture here."""
    if isinstance(value, list):
        return [_without_pictures(item, members, pictures) for item in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("type")
    members = PICTURES.get(kind, members) if isinstance(kind, str) else members
    kept = dict[str, Any]()
    for name, item in value.items():
        if name in members and isinstance(item, str) and (members is BASE64 or DATA_URI.match(item)):
            pictures.append(item)
        else:
            kept[name] = _without_pictures(item, members, pictures)
    return kept
