"""What a recording may cost: requests and tokens, counted before a call is made and after it."""

import json
import re
from dataclasses import dataclass
from typing import Any

from .canonical import deployment_of, parse_body
from .interaction import Request, Response
from .route import parse
from .usage import cost, tokens_of

BYTES_PER_TOKEN = 3  # English has about 4, JSON and other languages fewer
UNNAMED_OUTPUT_TOKENS = 1_000  # what a call may well answer that names no limit
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


class BudgetSpent(Exception):
    """The message says which budget, and its option."""


@dataclass(frozen=True)
class Spent:
    """`dollars` is an estimate, without the models that have no list price."""

    requests: int = 0
    tokens: int = 0
    dollars: float = 0.0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.requests + other.requests, self.tokens + other.tokens, self.dollars + other.dollars)

    def __str__(self) -> str:
        plural = "s" * (self.requests != 1)
        return f"{self.requests:,} request{plural}, {self.tokens:,} tokens, about ${self.dollars:.4f}"


@dataclass(frozen=True)
class Budget:
    """What a run may spend; None: no limit."""

    requests: int | None = None
    tokens: int | None = None

    @property
    def is_limited(self) -> bool:
        return self.requests is not None or self.tokens is not None

    def refusal(self, spent: Spent, expected_tokens: int) -> str | None:
        """Why one more call could go beyond the budget, or None."""
        if self.requests is not None and spent.requests >= self.requests:
            return f"The run has made its {self.requests:,} requests to the live service (--max-requests)."
        if self.tokens is not None and spent.tokens + expected_tokens > self.tokens:
            return (
                f"This call may use {expected_tokens:,} tokens, and {spent.tokens:,} of {self.tokens:,} are used "
                "(--max-tokens). A call that names a limit of its own, such as max_completion_tokens, counts less."
            )
        return None


def expected_tokens(request: Request) -> int:
    """About the most that a call will use. A picture, or another file, counts as a picture, however large it is."""
    if request.method != "POST":
        return 0
    parsed = parse_body(request.body)
    size, pictures = _size(request.body, parsed)
    numbers = {name: value for name, value in parsed.items() if type(value) is int} if isinstance(parsed, dict) else {}
    limit = next((numbers[name] for name in OUTPUT_LIMITS if name in numbers), UNNAMED_OUTPUT_TOKENS)
    answers = 0 if "embeddings" in request.uri else limit * numbers.get("n", 1)
    return size // BYTES_PER_TOKEN + pictures * PICTURE_TOKENS + max(0, answers)


def _size(body: bytes, parsed: Any) -> tuple[int, int]:
    """Bytes of text in a body, and its pictures."""
    if parsed is body and body.startswith(b"--"):  # multipart/form-data, which uploads a file
        return 0, 1
    pictures = list[str]()
    text = _without_pictures(parsed, (), pictures)
    if not pictures:
        return len(body), 0
    spelled = json.dumps(text, ensure_ascii=False, separators=(",", ":"))
    return len(spelled.encode(errors="surrogatepass")), len(pictures)


def _without_pictures(value: Any, members: tuple[str, ...], pictures: list[str]) -> Any:
    """The same without the pictures, which are added to the list. `members` may hold one here."""
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


def used(request: Request, response: Response) -> Spent:
    """What a call did use. A stream may tell nothing: then what was expected."""
    told, route = tokens_of(response), parse(request.uri)
    model = deployment_of(route, parse_body(request.body)) if route else None
    tokens = told.total or (expected_tokens(request) if response.status < 400 else 0)
    return Spent(1, tokens, cost(model or "", told) or 0.0)
