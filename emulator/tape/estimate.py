"""An estimate of the tokens that a request may use, made before its answer."""

import json
import re
from typing import Any

from .canonical import parse_body
from .interaction import Request

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


def expected_tokens(request: Request) -> int:
    """About the most tokens that a call will use. A file of any kind and size counts as one picture."""
    if request.method != "POST":
        return 0
    parsed = parse_body(request.body)
    size, pictures = _size(request.body, parsed)
    numbers = {name: value for name, value in parsed.items() if type(value) is int} if isinstance(parsed, dict) else {}
    limit = next((numbers[name] for name in OUTPUT_LIMITS if name in numbers), UNNAMED_OUTPUT_TOKENS)
    answers = 0 if "embeddings" in request.uri else limit * numbers.get("n", 1)
    return size // BYTES_PER_TOKEN + pictures * PICTURE_TOKENS + max(0, answers)


def _size(body: bytes, parsed: Any) -> tuple[int, int]:
    """The bytes of text in a body, and the number of its pictures."""
    if parsed is body and body.startswith(b"--"):  # multipart/form-data, which uploads a file
        return 0, 1
    pictures = list[str]()
    text = _without_pictures(parsed, (), pictures)
    if not pictures:
        return len(body), 0
    spelled = json.dumps(text, ensure_ascii=False, separators=(",", ":"))
    return len(spelled.encode(errors="surrogatepass")), len(pictures)


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
