"""Replaces the secrets in an interaction. When one cannot be replaced, nothing is written."""

import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from ..tape.interaction import Interaction
from .header import CREDENTIALS, with_kept_headers
from .leak import Leak, leaks_of, masked
from .lookalike import is_unmistakable
from .place import json_path
from .rewrite import Edits, rewritten, texts, unpacked
from .search import Hit, Search
from .secret import PLACEHOLDER

SECRET_SETTING = re.compile(
    r"AZURE_(?:TENANT|CLIENT|SUBSCRIPTION)_ID|.*(?:KEY|SECRET|PASSWORD|TOKEN)|IDENTITY_HEADER", re.IGNORECASE
)
AT_A_HOST = re.compile(r"^[a-z]+://[^/?#]*")
SHOWN = 5  # leaks in a message


class SecretFound(Exception):
    """A recording has a secret that cannot be replaced. The message names the places, the rules, and what to do."""

    def __init__(self, leaks: list[Leak]) -> None:
        lines = "\n  ".join([*map(str, leaks[:SHOWN]), *["and more"][: len(leaks) > SHOWN]])
        super().__init__(
            f"Nothing was written: the recording holds something that no cassette may hold.\n  {lines}\n"
            "Change the call so that it no longer holds this, or change the rules in emulator/scrub/secret.py."
        )


@dataclass(frozen=True)
class Known:
    """The secrets that a recorder knows. `base` is AZURE_OPENAI_BASE. `secrets` are tokens, keys and ids as they are.
    Strings of fewer than 8 characters are not searched for."""

    base: str
    secrets: tuple[str, ...] = ()

    @classmethod
    def from_env(cls, base: str, env: Mapping[str, str], *secrets: str) -> "Known":
        """Adds all keys, tokens and ids in the environment, whatever they are for."""
        held = (value for name, value in env.items() if SECRET_SETTING.fullmatch(name) and is_unmistakable(value))
        return cls(base, (*secrets, *held))

    def search(self, also: Iterable[str] = ()) -> Search:
        return Search.of(urlsplit(self.base).netloc, [*self.secrets, *also])


def scrubbed(interaction: Interaction, known: Known) -> Interaction:
    """The interaction without secrets, ready to be written. Raises SecretFound."""
    sent = [
        word for name, value in interaction.request.headers if name.lower() in CREDENTIALS for word in value.split()
    ]
    search = known.search(filter(is_unmistakable, sent))
    kept = at_placeholder(with_kept_headers(unpacked(interaction)), known.base)
    said = [text for _, text, is_file in texts(kept) if not is_file]
    hits = [hit for text in said for hit in search.hits(text)]
    names = _names(hits, "\n".join(said))
    if found := {hit.secret: hit.rule for hit in hits if is_unmistakable(hit.secret)}:
        search = replace(search, found=found)

    def edits(text: str) -> Edits:
        return [
            (hit.start, hit.end, names[_same(hit)]) for hit in search.hits(text) if hit.plainly and _same(hit) in names
        ]

    clean = rewritten(kept, edits)
    _require_none(leaks_of(clean, search))
    return clean


def require_clean(notes: Mapping[str, Any], known: Known) -> None:
    """Checks a note that a recorder writes about a cassette. Raises SecretFound."""
    text, search = json.dumps(notes, ensure_ascii=False, default=str), known.search()
    _require_none(Leak(masked(f"note {json_path(text, hit.start)}", search), hit.rule) for hit in search.hits(text))


def leaks(interaction: Interaction, known: Known | None = None) -> Iterator[Leak]:
    """The secrets in a recording, each with its place."""
    return leaks_of(unpacked(interaction), known.search() if known else Search())


def _require_none(found: Iterator[Leak]) -> None:
    if first := list(itertools.islice(found, SHOWN + 1)):
        raise SecretFound(first)


def at_placeholder(interaction: Interaction, base: str = "") -> Interaction:
    """The interaction with the placeholder as its host. A base with a path, as in API Management, is replaced whole."""
    uri, path = interaction.request.uri, urlsplit(base).path.rstrip("/")
    rest = uri.removeprefix(base.rstrip("/"))
    at = (
        f"{PLACEHOLDER}{rest}"
        if path and rest != uri and rest[:1] in ("", "/", "?")
        else AT_A_HOST.sub(PLACEHOLDER, uri)
    )
    return replace(interaction, request=replace(interaction.request, uri=at))


def _same(hit: Hit) -> tuple[str, str]:
    """Equal for hits that get the same replacement."""
    return hit.rule.instead or "", hit.secret.lower()


def _names(hits: list[Hit], said: str) -> dict[tuple[str, str], str]:
    """The replacement of each secret. Equal secrets get the same one. Where the rule numbers secrets, different secrets
    get different ones, and none that the interaction already contains."""
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
