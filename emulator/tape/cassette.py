"""A cassette: a VCR.py YAML file of recorded requests and responses.

What we add lives where vcrpy and pytest-recording ignore it: `response.x-stream` and a top-level `x-emulator` mapping
(`origin: synthetic` for a file written by hand). `x-stream` says how a body arrived:

    frame_at_ms   when each frame arrived, in milliseconds after the headers
    frame_bytes   how long each was; not written where the frames end where the text shows it: at an empty line
    outcome       how it ended, if not complete: one of OUTCOMES
"""

import base64
import gzip
import itertools
import os
import re
import tempfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Headers = tuple[tuple[str, str], ...]

COMPLETE = "complete"
OUTCOMES = {
    COMPLETE: "to its end",
    "reset": "the connection was reset (RST)",
    "truncated": "the connection was closed before the end of the body",
    "client_cancelled": "the client left; what it would have got is not known",
}
_FRAME = re.compile(rb".+?(?:\r?\n\r?\n|\Z)", re.DOTALL)  # a frame ends with an empty line (WHATWG HTML, section 9.2)


class CassetteError(Exception):
    """A file that cannot be read as a cassette; the message names the file, the line where known, and the reason."""


@dataclass(frozen=True)
class Request:
    method: str
    uri: str
    headers: Headers
    body: bytes


@dataclass(frozen=True)
class Response:
    """A recorded answer. `frame_at_ms` has one entry per frame, or none: then nothing is known of its timing.
    `frame_bytes` are the frames' lengths where they are not those of `sse_frames`; `outcome` is one of OUTCOMES."""

    status: int
    reason: str
    headers: Headers
    body: bytes
    frame_at_ms: tuple[float, ...] = ()
    frame_bytes: tuple[int, ...] = ()
    outcome: str = COMPLETE

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name), "")

    @property
    def is_stream(self) -> bool:
        return self.header("content-type").startswith("text/event-stream")

    def frames(self) -> list[bytes]:
        """The body in the pieces in which it came; in one, when nothing says otherwise."""
        if not self.frame_bytes:
            return sse_frames(self.body) if self.is_stream else [self.body]
        ends = list(itertools.accumulate(self.frame_bytes))
        return [self.body[end - size : end] for end, size in zip(ends, self.frame_bytes, strict=True)]


def sse_frames(body: bytes) -> list[bytes]:
    return _FRAME.findall(body)


@dataclass(frozen=True)
class Interaction:
    """One request and its answer; `label` names it for people, as in `chat/story #2`."""

    request: Request
    response: Response
    label: str = ""


@dataclass(frozen=True)
class Cassette:
    path: Path
    interactions: tuple[Interaction, ...]
    notes: Mapping[str, Any] = field(default_factory=dict)


def find(folders: Iterable[Path]) -> list[tuple[Path, str]]:
    """(file, name) of every cassette below the folders; the name is the path below its folder without suffix."""
    return [
        (path, path.relative_to(folder).with_suffix("").as_posix())
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".yaml", ".yml", ".json") and path.is_file()
    ]


def load(path: Path, name: str = "") -> Cassette:
    """Read a cassette as stock vcrpy writes it. Raises CassetteError."""
    try:
        document = yaml.load(path.read_bytes(), Loader=_Loader)  # noqa: S506  (a SafeLoader; JSON is YAML, too)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise CassetteError(f"{path}:{line}: not YAML: {error.problem}") from error
    except (OSError, UnicodeError, yaml.YAMLError) as error:
        raise CassetteError(f"{path}: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("interactions"), list):
        raise CassetteError(f"{path}:1: no cassette: a mapping with a list of `interactions` was expected")
    interactions = []
    for number, item in enumerate(document["interactions"], 1):
        try:
            request, response = _request(item["request"]), _response(item["response"])
        except (KeyError, TypeError, ValueError, AttributeError, OSError, zlib.error) as error:
            line, reason = _line_of(path, number), f"{type(error).__name__}: {error}"
            raise CassetteError(f"{path}:{line}: interaction {number}: {reason}") from error
        interactions.append(Interaction(request, response, f"{name or path.stem} #{number}"))
    return Cassette(path, tuple(interactions), document.get("x-emulator") or {})


def save(path: Path, interactions: Iterable[Interaction], notes: Mapping[str, Any]) -> None:
    """Write a cassette that vcrpy can play: whole or not at all, streams as literal blocks."""
    document: dict[str, Any] = {"x-emulator": dict(notes)} if notes else {}
    document["interactions"] = [_document(interaction) for interaction in interactions]
    document["version"] = 1
    text = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=2**20)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".tmp", encoding="utf-8", delete=False) as file:
        file.write(text)
    os.chmod(file.name, 0o644)  # temporary files are private, cassettes are not
    os.replace(file.name, path)


_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Dumper(yaml.SafeDumper):
    pass


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def _request(item: Mapping[str, Any]) -> Request:
    return Request(
        str(item["method"]).upper(), str(item["uri"]), _headers(item.get("headers")), _bytes(item.get("body"))
    )


def _response(item: Mapping[str, Any]) -> Response:
    status = item.get("status")
    code, reason = (status["code"], status.get("message")) if isinstance(status, dict) else (item["status_code"], "")
    body = item["body"] if "body" in item else {"string": item.get("content")}
    headers, content = _headers(item.get("headers")), _bytes(body)
    encoding = next((value for key, value in headers if key.lower() == "content-encoding"), "")
    if encoding == "gzip" and content[:2] == b"\x1f\x8b":  # replayed as the text it is: not every client asks for gzip
        content = gzip.decompress(content)
        headers = tuple((key, value) for key, value in headers if key.lower() != "content-encoding")
    arrived = item.get("x-stream") or {}
    at = tuple(float(ms) for ms in arrived.get("frame_at_ms", ()))
    sizes = tuple(int(size) for size in arrived.get("frame_bytes", ()))
    if sizes and (sum(sizes) != len(content) or min(sizes) < 1):
        raise ValueError(f"x-stream: frame_bytes add up to {sum(sizes)}, the body has {len(content)} bytes")
    outcome = arrived.get("outcome", COMPLETE)
    if outcome not in OUTCOMES:
        raise ValueError(f"x-stream: outcome is {outcome!r}, not one of {', '.join(OUTCOMES)}")
    return Response(int(code), str(reason or ""), headers, content, at, sizes, outcome)


def _headers(item: Any) -> Headers:
    """vcrpy writes a list of values per name; older versions and other tools a string."""
    pairs = ((str(name), values if isinstance(values, list) else [values]) for name, values in (item or {}).items())
    return tuple((name, str(value)) for name, values in pairs for value in values)


def _bytes(item: Any) -> bytes:
    """A body: str, bytes, null, {string: …} or {base64_string: …}."""
    if isinstance(item, dict):
        return base64.b64decode(item["base64_string"]) if "base64_string" in item else _bytes(item.get("string"))
    return item.encode() if isinstance(item, str) else bytes(item or b"")


def _document(interaction: Interaction) -> dict[str, Any]:
    request, response = interaction.request, interaction.response
    document: dict[str, Any] = {
        "request": {
            "method": request.method,
            "uri": request.uri,
            "headers": _listed(request.headers),
            "body": _scalar(request.body),
        },
        "response": {
            "status": {"code": response.status, "message": response.reason},
            "headers": _listed(response.headers),
            "body": {"string": _scalar(response.body)},
        },
    }
    arrived = {
        "frame_at_ms": list(response.frame_at_ms),
        "frame_bytes": list(response.frame_bytes),
        "outcome": response.outcome * (response.outcome != COMPLETE),
    }
    if any(arrived.values()):
        document["response"]["x-stream"] = {name: value for name, value in arrived.items() if value}
    return document


def _line_of(path: Path, number: int) -> int:
    """The line where an interaction begins."""
    root = yaml.compose(path.read_bytes(), Loader=yaml.SafeLoader)
    for name, value in root.value if isinstance(root, yaml.MappingNode) else ():
        if name.value == "interactions":
            return int(value.value[number - 1].start_mark.line) + 1
    return 1


def _listed(headers: Headers) -> dict[str, list[str]]:
    listed: dict[str, list[str]] = {}
    for name, value in headers:
        listed.setdefault(name, []).append(value)
    return listed


def _scalar(body: bytes) -> str | bytes:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body
