"""A YAML or JSON file as plain values. The reader does not trust the file.

PyYAML's own loaders expand aliases without a limit, recurse until the process dies, and let the second of two equal
keys win. This reader builds text, numbers, booleans, null, bytes, lists and mappings from the parser's events (or from
JSON). It refuses everything else and names the line. Keys stay the text in the file, such as `200` or `no`.
"""

import base64
import functools
import json
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from yaml.events import MappingEndEvent, MappingStartEvent, ScalarEvent, SequenceEndEvent, SequenceStartEvent

MAX_BYTES = 64 * 2**20  # of a file; more takes too long to read
MAX_WEIGHT = 2 * MAX_BYTES  # of all values with aliases expanded: WEIGHT for each, and the length of its text
WEIGHT = 32
MAX_DEPTH = 50  # levels of nesting; a cassette needs seven
MAX_NUMBER = 100  # characters; YAML 1.1 has forms of numbers that take quadratic time

TOO_MUCH = f"with its aliases expanded it is larger than {MAX_WEIGHT // 2**20} MB"
TOO_DEEP = "it is nested too deep"
TAG = "tag:yaml.org,2002:"

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVERS = yaml.SafeLoader.yaml_implicit_resolvers  # first character: [(tag, expression)]
_SCALARS = yaml.constructor.SafeConstructor()
_CONSTRUCT: dict[str, Any] = {
    f"{TAG}null": _SCALARS.construct_yaml_null,
    f"{TAG}bool": _SCALARS.construct_yaml_bool,
    f"{TAG}int": _SCALARS.construct_yaml_int,
    f"{TAG}float": _SCALARS.construct_yaml_float,
    f"{TAG}binary": lambda node: base64.b64decode(node.value),
}
_TEXT = (None, "!", f"{TAG}str")
_COLLECTION = (None, "!", f"{TAG}seq", f"{TAG}map")


class DocumentError(Exception):
    """The reason why a file cannot be read, in one line, and its place: a line number from 1, or None."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(one_line(reason))
        self.line = line


def one_line(text: str, width: int = 200) -> str:
    """The text on one printable line. Other characters are escaped, and a long text is cut."""
    cut = text if len(text) <= width else f"{text[: width - 1]}…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)


def content_of(path: Path) -> bytes:
    """The bytes of a regular file of at most MAX_BYTES. Raises DocumentError."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):  # a pipe would block the reader
            raise DocumentError("it is no regular file")
        if found.st_size > MAX_BYTES:
            size = f"it has {found.st_size // 2**20} MB, a cassette at most {MAX_BYTES // 2**20}"
            raise DocumentError(f"{size}; spread its interactions over several files")
        return path.read_bytes()
    except OSError as error:
        raise DocumentError(error.strerror or str(error)) from error


def parse(content: bytes, is_json: bool = False) -> Any:
    """The value that the file holds; None when it is empty. Raises DocumentError."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError("it is not UTF-8", content.count(b"\n", 0, error.start) + 1) from error
    if is_json:
        return _from_json(text)
    builder = _Builder()
    for event in _events(text):
        builder.add(event)
    return builder.root[0] if builder.root else None


def line_of(content: bytes, path: Sequence[str | int]) -> int:
    """The line of the value at a path such as ("interactions", 2, "request"), or of the deepest part that exists.
    Error messages use it to show where a wrong value is."""
    builder, line, best = _Builder(), 1, 0
    try:
        for event in _events(content.decode("utf-8-sig")):
            at = builder.path()
            if isinstance(event, yaml.NodeEvent) and len(at) > best and at == list(path[: len(at)]):
                line, best = _line(event), len(at)
            builder.add(event)
    except DocumentError:  # JSON that is not YAML
        pass
    return line


def _events(text: str) -> Iterator[Any]:
    try:
        parser = _Loader(text)
        while (event := parser.get_event()) is not None:
            yield event
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise DocumentError(f"it is not YAML: {error.problem or error.context}", line) from error
    except yaml.reader.ReaderError as error:
        character = error.character if isinstance(error.character, str) else chr(error.character)
        line = text.count("\n", 0, text.find(character)) + 1
        raise DocumentError(f"YAML does not allow the character U+{ord(character):04X}", line) from error


def _from_json(text: str) -> Any:
    if len(text) + WEIGHT * sum(map(text.count, ",[{")) > MAX_WEIGHT:  # each value costs memory beyond its text
        raise DocumentError("it holds too many values; spread its interactions over several files")
    try:
        return json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        raise DocumentError(f"it is not JSON: {error.msg}", error.lineno) from error
    except RecursionError as error:
        raise DocumentError(TOO_DEEP) from error
    except ValueError as error:  # of thousands of digits
        raise DocumentError("it holds a number that is too long") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        ((name, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise DocumentError(f"the key {name!r} is there twice")
    return mapping


class _Open:
    """A collection that is still open, the key of its next value, and the weight of all values before it."""

    __slots__ = ("anchor", "collection", "key", "weight")

    def __init__(self, collection: Any, anchor: str | None = None, weight: int = 0) -> None:
        self.collection, self.anchor, self.weight = collection, anchor, weight
        self.key: str | None = None


class _Builder:
    """Values from events, without recursion. `root` holds the document's value at the end."""

    def __init__(self) -> None:
        self.root: list[Any] = []
        self._open = [_Open(self.root)]
        self._anchors: dict[str, tuple[Any, int]] = {}  # values with their weights
        self._weight = 0

    def path(self) -> list[str | int | None]:
        """The path of the next value. It ends with None when a key comes next."""
        return [len(one.collection) if type(one.collection) is list else one.key for one in self._open[1:]]

    def add(self, event: Any) -> None:
        kind, top = type(event), self._open[-1]
        if kind is ScalarEvent:
            value, weight = event.value, WEIGHT + len(event.value)
            self._weigh(weight, event)
            if top.key is None and type(top.collection) is dict:
                top.key = _key(event, top.collection)
            else:
                is_text = event.tag is None and not event.implicit[0]
                self._put(value if is_text else _scalar(event), event.anchor, weight)
        elif kind is SequenceEndEvent or kind is MappingEndEvent:
            self._open.pop()
            self._put(top.collection, top.anchor, self._weight - top.weight)
        elif kind is SequenceStartEvent or kind is MappingStartEvent:
            self._begin(event, [] if kind is SequenceStartEvent else {})
        elif kind is yaml.AliasEvent:
            if event.anchor not in self._anchors:
                raise _error(event, f"the alias *{event.anchor} names nothing that was read before it")
            self._refuse_as_key(event)
            value, weight = self._anchors[event.anchor]
            self._weigh(weight, event)
            self._put(value, None, weight)
        elif kind is yaml.DocumentStartEvent and self.root:
            raise _error(event, "a second document begins here; a cassette has one")

    def _begin(self, event: Any, collection: Any) -> None:
        self._refuse_as_key(event)
        if event.tag not in _COLLECTION:
            raise _unknown_tag(event)
        if len(self._open) > MAX_DEPTH:
            raise _error(event, TOO_DEEP)
        self._open.append(_Open(collection, event.anchor, self._weight))
        self._weigh(WEIGHT, event)

    def _refuse_as_key(self, event: Any) -> None:
        top = self._open[-1]
        if type(top.collection) is dict and top.key is None:
            raise _error(event, "a key must be text")

    def _put(self, value: Any, anchor: str | None, weight: int) -> None:
        top = self._open[-1]
        if type(top.collection) is list:
            top.collection.append(value)
        else:
            top.collection[top.key] = value
            top.key = None
        if anchor:
            self._anchors[anchor] = value, weight

    def _weigh(self, weight: int, event: Any) -> None:
        self._weight += weight
        if self._weight > MAX_WEIGHT:
            raise _error(event, TOO_MUCH)


def _key(event: Any, mapping: dict[str, Any]) -> str:
    if event.tag not in _TEXT:
        raise _error(event, "a key must be text")
    if event.value == "<<" and event.implicit[0]:
        raise _error(event, "merge keys (<<) are not read; write the members out")
    if event.value in mapping:
        raise _error(event, f"the key {event.value!r} is there twice")
    return str(event.value)


def _scalar(event: Any) -> Any:
    """The value of a scalar. A plain scalar is text when it looks like a date or another type that JSON lacks."""
    value, tag = event.value, event.tag
    if tag is None and event.implicit[0]:
        tag = _tag_of_plain(value) if len(value) <= MAX_NUMBER else None
    if tag in _TEXT:
        return value
    if tag not in _CONSTRUCT:
        raise _unknown_tag(event)
    try:
        if len(value) > MAX_NUMBER and tag != f"{TAG}binary":
            raise ValueError
        return _CONSTRUCT[tag](yaml.ScalarNode(tag, value))
    except (ValueError, KeyError) as error:
        raise _error(event, f"{one_line(value, 40)!r} is no {tag.removeprefix(TAG)}") from error


@functools.lru_cache(4096)  # most are values of the same headers
def _tag_of_plain(value: str) -> str | None:
    forms = _RESOLVERS.get(value[:1], [])
    tag = next((tag for tag, form in forms if form.match(value)), None)
    return tag if tag in _CONSTRUCT else None


def _unknown_tag(event: Any) -> DocumentError:
    tag = event.tag.replace(TAG, "!!")
    return _error(event, f"the tag {tag} is not read; a cassette holds text, numbers, lists, mappings and !!binary")


def _error(event: Any, reason: str) -> DocumentError:
    return DocumentError(reason, _line(event))


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1
