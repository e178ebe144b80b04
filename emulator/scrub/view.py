"""A text with its escapes decoded. Each position leads back to its place in the original text."""

import binascii
import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote

DEPTH = 8  # JSON in a string in a string, an address in an address; the search goes no deeper

JSON_ESCAPE = re.compile(r'\\(?:u[0-9a-fA-F]{4}|["\\/bfnrt])')
PERCENT = re.compile(r"%[0-9a-fA-F]{2}")
NUL = re.compile("\x00")  # in UTF-16, every other byte of ASCII text
DECODERS: tuple[tuple[re.Pattern[str], Callable[[str], str]], ...] = (
    (JSON_ESCAPE, lambda token: str(json.loads(f'"{token}"'))),
    (PERCENT, lambda token: unquote(token, "latin-1")),
    (NUL, lambda _: ""),
)

LINE = 60  # characters in a line of longer base64
DIGITS = "[A-Za-z0-9+/_-]"
BASE64 = re.compile(rf"(?:{DIGITS}{{{LINE},}}\s{{1,4}})+{DIGITS}+={{0,2}}|{DIGITS}{{16,}}={{0,2}}")
READABLE = re.compile(rb"[\t\n\r\x20-\x7e]{24,}")  # longer than readable text in vectors and images by chance
HEX = re.compile(r"(?<![0-9a-fA-F])(?:[0-9a-fA-F]{2}){16,}(?![0-9a-fA-F])")


@dataclass(frozen=True)
class View:
    """`text` is the decoded text of `parent`. `at` and `origin` are where its pieces begin, here and in the parent."""

    text: str
    parent: "View | None" = None
    at: tuple[int, ...] = (0,)
    origin: tuple[int, ...] = (0,)
    depth: int = 0

    def position(self, position: int) -> int:
        """The position in the original text for a position in this one."""
        if self.parent is None:
            return position
        piece = bisect_right(self.at, position) - 1
        return self.parent.position(self.origin[piece] + position - self.at[piece])

    def decoded(self, escape: re.Pattern[str], meaning: Callable[[str], str]) -> "View | None":
        """The view with its escapes decoded; None when there are none."""
        parts, at, origin, read, written = [], [0], [0], 0, 0
        for token in escape.finditer(self.text):
            said = meaning(token[0])
            parts += [self.text[read : token.start()], said]
            written += token.start() - read
            at += [written, written + len(said)]
            origin += [token.start(), token.end()]
            written, read = written + len(said), token.end()
        if not parts:
            return None
        return View("".join([*parts, self.text[read:]]), self, tuple(at), tuple(origin), self.depth + 1)


def views(text: str) -> list[View]:
    """The text and all its decodings, with the deepest decoding first."""
    found, seen = [View(text)], {text}
    for view in found:  # the list grows meanwhile
        for escape, meaning in DECODERS if view.depth < DEPTH else ():
            decoded = view.decoded(escape, meaning)
            if decoded and decoded.text not in seen:
                seen.add(decoded.text)
                found.append(decoded)
    return found[::-1]


def encoded(text: str, seen: set[str]) -> Iterator[tuple[int, int, bytes]]:
    """(start, end, meaning) of every run that may be base64 or hexadecimal digits and is not in `seen`."""
    for run in BASE64.finditer(text):
        if run[0] in seen:
            continue
        seen.add(run[0])
        letters = re.sub(r"[\s=]", "", run[0]).translate({ord("-"): "+", ord("_"): "/"})
        for skipped in range(4):  # other characters may stand before the base64
            rest = letters[skipped : len(letters) - ((len(letters) - skipped) % 4 == 1)]
            yield run.start(), run.end(), binascii.a2b_base64(rest + "=" * (-len(rest) % 4))
    for run in HEX.finditer(text):
        yield run.start(), run.end(), bytes.fromhex(run[0])
