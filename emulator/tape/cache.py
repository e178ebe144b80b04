"""A cache of parsed cassettes in the user's cache folder, because parsing YAML takes ten times as long.

The name of an entry is a hash of the cassette's bytes and of this package's sources, so an entry is never stale. The
cache is optional: without a folder that is the user's alone, or with a damaged entry, the cassette is parsed again.
`EMULATOR_CACHE` names another folder. `EMULATOR_CACHE=off` keeps nothing.
"""

import functools
import hashlib
import marshal  # runs no code, unlike pickle; the checksum is there because damaged data could crash it
import os
import sys
import tempfile
import time
import zlib
from collections.abc import Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any

from .canonical import Key
from .interaction import Request, Response
from .meaning import Meaning

Pair = tuple[Request, Response]
SETTING = "EMULATOR_CACHE"
DAY = 86_400
UNUSED = 30 * DAY  # seconds after which an entry is removed
CHECKSUM = 4  # bytes at the start of an entry
REQUEST = attrgetter(*Request.__dataclass_fields__)  # all fields, in order
RESPONSE = attrgetter(*Response.__dataclass_fields__)


def find(content: bytes, kind: str) -> tuple[dict[str, Any], list[Pair]] | None:
    """The notes and the interactions of a cassette with these bytes; None when the cache has none."""
    folder = _folder()
    if folder is None:
        return None
    path = folder / _name(content, kind)
    try:
        entry = path.read_bytes()
        if path.stat().st_mtime < time.time() - DAY:
            os.utime(path)
        data = entry[CHECKSUM:]
        if entry != checked(data):
            return None
        notes, pairs = marshal.loads(data)  # noqa: S302  (the user's own, see above)
        return notes, [_pair(*pair) for pair in pairs]
    except (OSError, EOFError, ValueError, TypeError):
        return None


def checked(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(CHECKSUM) + data


def keep(content: bytes, kind: str, notes: dict[str, Any], pairs: Sequence[Pair]) -> None:
    """Writes an entry, if the folder allows it. Reports no failure, because the cassette is then parsed again."""
    folder = _folder()
    if folder is None:
        return
    data = marshal.dumps((notes, [_plain(*pair) for pair in pairs]))
    try:
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
            file.write(checked(data))
        os.replace(file.name, folder / _name(content, kind))
        _remove_unused(folder)
    except OSError:
        return


def _plain(request: Request, response: Response) -> tuple[Any, ...]:
    meaning = request.meaning
    kept = meaning and (meaning.generation, tuple(meaning.key), meaning.leaves)
    return REQUEST(request), RESPONSE(response), kept


def _pair(asked: tuple[Any, ...], answered: tuple[Any, ...], kept: tuple[Any, ...] | None) -> Pair:
    request = Request(*asked)
    vars(request)["meaning"] = kept and Meaning(kept[0], Key(*kept[1]), kept[2])  # where cached_property looks for it
    return request, Response(*answered)


@functools.cache
def _sources() -> bytes:
    """A hash of the sources and versions that decide how a cassette is read."""
    digest = hashlib.blake2b(f"{sys.implementation.cache_tag} {marshal.version}".encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.digest()


def _name(content: bytes, kind: str) -> str:
    return hashlib.blake2b(content, digest_size=20, key=_sources(), person=kind.encode()).hexdigest()


def _folder() -> Path | None:
    return _prepared(os.environ.get(SETTING, ""))


@functools.cache
def _prepared(setting: str) -> Path | None:
    """The folder, created if missing. None when others could write to it, or when nobody can."""
    if setting == "off":
        return None
    try:
        base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or Path.home() / ".cache"
        folder = Path(setting or Path(base, "azure-openai-emulator"))
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
    except (OSError, RuntimeError):  # no home
        return None
    if hasattr(os, "getuid") and (found.st_uid != os.getuid() or found.st_mode & 0o022):
        return None
    return folder if os.access(folder, os.W_OK) else None


@functools.cache  # once per process
def _remove_unused(folder: Path) -> None:
    for path in folder.iterdir():
        if path.stat().st_mtime < time.time() - UNUSED:
            path.unlink(missing_ok=True)
