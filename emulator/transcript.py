"""`python -m emulator show CASSETTE`: a recording as text for its reviewer.

It spells out the control characters of a recording, because a terminal would obey them.
"""

import itertools
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from .saying import Saying, facts, said
from .tape import cassette
from .tape.canonical import deployment_of, parse_body
from .tape.cassette import Cassette, Interaction
from .tape.route import parse

WIDTH = 100
LONG = 2_000  # characters of one text; only images and vectors are longer, and nobody reads those
CONTROL = {code: f"\\x{code:02x}" for code in (*range(9), *range(11, 32), *range(127, 160))}


def find(folders: Iterable[Path], name: str) -> Cassette:
    """The cassette with this name, such as chat/story, or this path. Raises LookupError and CassetteError."""
    found = {known: path for path, known in cassette.find(folders)}
    if name in found:
        return cassette.load(found[name], name)
    with suppress(OSError):  # a name may be too long for a path
        if Path(name).is_file():
            return cassette.load(Path(name))
    near = [known for known in found if name in known] or list(found)
    raise LookupError(f"There is no cassette {name}. There are: {', '.join(near)}.")


def transcript(tape: Cassette) -> str:
    told = ", ".join(f"{name}: {value}" for name, value in tape.notes.items())
    parts = [f"{tape.path}" + (f"\n{told}" if told else "")]
    for number, interaction in enumerate(tape.interactions, 1):
        parts.append(
            "\n".join([_head(number, interaction), *_paragraphs(said(interaction)), f"  ── {facts(interaction)}"])
        )
    return _printable("\n\n".join(parts)) + "\n"


def _paragraphs(sayings: Iterable[Saying]) -> Iterator[str]:
    return itertools.chain.from_iterable(map(_paragraph, sayings))


def _printable(text: str) -> str:
    """Joins the halves of a surrogate pair that two pieces of a stream brought, and spells out a single half."""
    paired = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return paired.encode(errors="backslashreplace").decode().translate(CONTROL)


def _head(number: int, interaction: Interaction) -> str:
    request, route = interaction.request, parse(interaction.request.uri)
    if route is None:
        return f"#{number}  {request.method} {request.uri}"
    query = "".join(f" {name}={value}" for name, value in route.query)
    model = deployment_of(route, parse_body(request.body))
    version = f"{route.generation} {route.api_version or ''}".strip()
    return f"#{number}  {request.method} {route.operation}{query}  ({', '.join(filter(None, (model, version)))})"


def _paragraph(saying: Saying) -> Iterator[str]:
    """With who said it in the margin."""
    text = saying.text
    shown = text if len(text) <= LONG else f"{text[:LONG]}… ({len(text):,} characters)"
    wrapped = [line for paragraph in shown.splitlines() for line in textwrap.wrap(paragraph, WIDTH - 16) or [""]]
    for number, line in enumerate(wrapped):
        yield f"  {'' if number else saying.who:>12}  {line}".rstrip()
