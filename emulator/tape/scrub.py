"""What may get into a cassette. Everything else is replaced; where that cannot be, nothing is written."""

import itertools
import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from .interaction import Interaction
from .place import documents, json_path, place_in, spelled
from .rewrite import Edits, rewritten, unpacked
from .search import Hit, Search
from .secret import NO_ID, PLACEHOLDER, Rule, is_unmistakable, other_rule

CREDENTIALS = ("authorization", "api-key", "x-functions-key", "ocp-apim-subscription-key")
KEPT_HEADERS = ("accept", "content-type", "user-agent")  # say what asked; the rest is about one machine or a secret
ASKING_HEADERS = re.compile("|".join((*KEPT_HEADERS, "content-encoding")))
ANSWERING_HEADERS = re.compile(
    "access-control-allow-origin|api-supported-versions|apim-request-id|azure-openai-data-collection|azureai-fe-.+|"
    "azureml-model-session|cache-control|cmp-upstream-response-duration|content-encoding|content-length|content-type|date|"
    "openai-(?:model|processing-ms|version)|policy-id|request-id|retry-after|retry-after-ms|skip-error-remapping|"
    "strict-transport-security|transfer-encoding|x-accel-buffering|x-content-type-options|"
    "x-envoy-upstream-service-time|x-ms-aoai-configured-data-retention-days|x-ms-client-request-id|"
    "x-ms-deployment-name|x-ms-error-code|x-ms-fe-error|x-ms-is-spilled-over|x-ms-rai-invoked|x-ms-region|"
    "x-ms-served-model|x-ratelimit-.+|x-request-id"
)
SECRET_SETTING = re.compile(
    r"AZURE_(?:TENANT|CLIENT|SUBSCRIPTION)_ID|.*(?:KEY|SECRET|PASSWORD|TOKEN)|IDENTITY_HEADER", re.IGNORECASE
)
COMPRESSED = other_rule("compressed", "what is in it cannot be seen; ask without accept-encoding")
OTHER_HEADERS = other_rule("not on the list of headers that are kept", "others say who asked, or from where")
SHOWN = 5  # leaks in a message
CLIENT_REQUEST_ID, NOT_SET = "x-ms-client-request-id", "Not-Set"  # Azure's word where the client sent none


@dataclass(frozen=True)
class Leak:
    """`place` is such as `request body messages[0].content`; `how` is not "" where the secret is not there plainly.
    Never the secret itself."""

    place: str
    rule: Rule
    how: str = ""

    @property
    def what(self) -> str:
        return " ".join(filter(None, (self.rule.name, self.how))) + f" ({self.rule.reason})"

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


class SecretFound(Exception):
    """What may not be written down; the message names the places, the rules that found it, and what to do."""

    def __init__(self, leaks: list[Leak]) -> None:
        self.leaks = leaks
        lines = "\n  ".join([*map(str, leaks[:SHOWN]), *[f"and {len(leaks) - SHOWN} more"][: len(leaks) > SHOWN]])
        super().__init__(
            f"Nothing was written: what was recorded says something that no cassette may.\n  {lines}\n"
            "Change what is asked so that it is not said, or change the rules in emulator/tape/secret.py."
        )


@dataclass(frozen=True)
class Known:
    """What a recorder knows to be secret: `base` is AZURE_OPENAI_BASE; `secrets` are tokens, keys, ids, as they are.
    What is shorter than 8 characters is not looked for."""

    base: str
    secrets: tuple[str, ...] = ()

    @classmethod
    def from_env(cls, base: str, env: Mapping[str, str], *secrets: str) -> "Known":
        """With the keys, tokens and ids that an environment holds, whatever they are for."""
        held = (value for name, value in env.items() if SECRET_SETTING.fullmatch(name) and is_unmistakable(value))
        return cls(base, (*secrets, *held))

    def search(self, also: Iterable[str] = ()) -> Search:
        return Search.of(urlsplit(self.base).netloc, [*self.secrets, *also])


def scrubbed(interaction: Interaction, known: Known) -> Interaction:
    """The interaction as it may be written down. Raises SecretFound."""
    sent = [
        word for name, value in interaction.request.headers if name.lower() in CREDENTIALS for word in value.split()
    ]
    search = known.search(filter(is_unmistakable, sent))
    kept = _without_headers(unpacked(interaction))
    hits, said = list[Hit](), list[str]()

    def collect(_: str, text: str) -> Edits:
        hits.extend(search.hits(text))
        said.append(text)
        return []

    rewritten(kept, collect)
    names = _names(hits, "\n".join(said))
    found = {hit.secret: hit.rule for hit in hits if is_unmistakable(hit.secret)}
    search = replace(search, found=found) if found else search

    def edits(_: str, text: str) -> Edits:
        return [
            (hit.start, hit.end, names[_same(hit)]) for hit in search.hits(text) if hit.plainly and _same(hit) in names
        ]

    clean = rewritten(kept, edits)
    if remaining := list(_leaks(clean, search)):
        raise SecretFound(remaining)
    return clean


def require_clean(notes: Mapping[str, Any], known: Known) -> None:
    """For what a recorder notes about a cassette. Raises SecretFound."""
    text, search = json.dumps(notes, ensure_ascii=False, default=str), known.search()
    found = [Leak(_masked(f"note {json_path(text, hit.start)}", search), hit.rule) for hit in search.hits(text)]
    if found:
        raise SecretFound(found)


def leaks(interaction: Interaction, known: Known | None = None) -> Iterator[Leak]:
    """What is in a recording and should not be."""
    return _leaks(unpacked(interaction), known.search() if known else Search())


def _without_headers(interaction: Interaction) -> Interaction:
    request, response = interaction.request, interaction.response
    asked = tuple(sorted(pair for pair in request.headers if ASKING_HEADERS.fullmatch(pair[0].lower())))
    answered = tuple(
        (name, NO_ID if name.lower() == CLIENT_REQUEST_ID and value != NOT_SET else value)
        for name, value in response.headers
        if ANSWERING_HEADERS.fullmatch(name.lower())
    )
    uri = re.sub(r"^[a-z]+://[^/?#]*", PLACEHOLDER, request.uri)
    return replace(
        interaction, request=replace(request, headers=asked, uri=uri), response=replace(response, headers=answered)
    )


def _same(hit: Hit) -> tuple[str, str]:
    """Equal for hits that get the same name."""
    return hit.rule.instead or "", hit.secret.lower()


def _names(hits: list[Hit], said: str) -> dict[tuple[str, str], str]:
    """What to write instead of each secret: the same for the same one, another for another where the rule numbers them,
    and nothing that is there already."""
    names = dict[tuple[str, str], str]()
    for hit in hits:
        template = hit.rule.instead
        if template is not None and _same(hit) not in names:
            candidates = (template.format(n=n) for n in itertools.count(1))
            taken = {*names.values()} if "{n" in template else set()
            names[_same(hit)] = next(
                name for name in candidates if name not in taken and ("{n" not in template or name not in said)
            )
    return names


def _leaks(interaction: Interaction, search: Search) -> Iterator[Leak]:
    found = list[Leak]()

    def look(part: str, text: str) -> Edits:
        for hit in search.hits(text):
            place = _place(interaction, part, text, hit.start, search)
            found.append(Leak(place, hit.rule, "" if hit.plainly else "in an encoding"))
        return []

    rewritten(interaction, look)
    yield from found
    yield from _bit_by_bit(interaction, search)
    for part, headers, kept in (
        ("request", interaction.request.headers, ASKING_HEADERS),
        ("response", interaction.response.headers, ANSWERING_HEADERS),
    ):
        if any(_hides(*pair) for pair in headers):
            yield Leak(f"{part} body", COMPRESSED)
        if others := [name.lower() for name, _ in headers if not kept.fullmatch(name.lower())]:
            place = _masked(f"{part} headers {', '.join(others)}", search)
            yield Leak(place, OTHER_HEADERS)


def _hides(name: str, value: str) -> bool:
    return name.lower() == "content-encoding" and value.lower() != "identity"


def _bit_by_bit(interaction: Interaction, search: Search) -> Iterator[Leak]:
    """Secrets that a stream spells."""
    for path, bits in spelled(documents(interaction.response)).items():
        ends = list(itertools.accumulate(len(text) for _, text in bits))
        for hit in search.hits("".join(text for _, text in bits)):
            first, last = bisect_right(ends, hit.start), bisect_left(ends, hit.end)
            if first < last or hit.secret not in {alone.secret for alone in search.hits(bits[first][1])}:
                events = f"events {bits[first][0]} to {bits[last][0]} " if bits[first][0] else ""
                yield Leak(_masked(f"response body {events}{path}", search), hit.rule, "bit by bit")


def _place(interaction: Interaction, part: str, text: str, position: int, search: Search) -> str:
    if part == "request address":
        name = re.search(r"[?&]([^?&=]+)=[^?&]*$", text[: position + 1])
        detail = f"query {name[1]}" if name else "path" if "/" in text[:position].partition("://")[2] else "host"
    elif part.endswith("body"):
        streamed = part.startswith("response") and interaction.response.is_stream
        detail = place_in(text.encode("latin-1"), position, streamed)
    else:
        detail = ""
    return _masked(f"{part} {detail}".strip(), search)


def _masked(place: str, search: Search) -> str:
    """A key or a name may be the secret itself."""
    for hit in reversed(search.hits(place)):
        place = f"{place[: hit.start]}…{place[hit.end :]}"
    return place
