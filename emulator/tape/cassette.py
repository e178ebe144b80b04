"""A cassette: a VCR.py YAML file of recorded requests and responses.

What we add lives where vcrpy and pytest-recording ignore it: `response.x-stream` (when each frame of a stream left, in
milliseconds after the headers) and a top-level `x-emulator` mapping (`origin: synthetic` for a file written by hand).
"""

import base64
import gzip
import os
import tempfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Headers = tuple[tuple[str, str], ...]


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
    """A recorded answer. `frame_at_ms` has one entry per SSE frame, or none: then nothing is known of its timing."""

    status: int
    reason: str
    headers: Headers
    body: bytes
    frame_at_ms: tuple[float, ...] = ()

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name), "")

    @property
    def is_stream(self) -> bool:
        return self.header("content-type").startswith("text/event-stream")


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
    at = tuple(float(ms) for ms in (item.get("x-stream") or {}).get("frame_at_ms", ()))
    return Response(int(code), str(reason or ""), headers, content, at)


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
    if response.frame_at_ms:
        document["response"]["x-stream"] = {"frame_at_ms": list(response.frame_at_ms)}
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
