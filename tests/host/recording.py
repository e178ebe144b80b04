"""Sends the requests that Microsoft's own host answered (recorded/README.md) to any other host; compares the answers.

    python -m tests.host.recording URL [OUT.jsonl]     # keys: FUNCTION_HOST_KEY, FUNCTION_MASTER_KEY

The host must serve recorded/app. The command prints the answers that differ. OUT gets all answers in the same form.
"""

import json
import os
import re
import socket
import sys
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from tests.host.answer import differences, is_kinder, is_whole, read

FOLDER = Path(__file__).parent / "recorded"
PATIENCE_S = 8  # the recording calls a longer silence "silent"
UPLOAD_PATIENCE_S = 60
STAYS_OPEN_S = 0.4
AT_ONCE = 16
LONG_TEXT, CUT_TEXT = 3_000, 600
KEYS = {"$KEY$": "another-key", "$MASTER$": "master-key", "$SYSTEM$": "a-system-key"}  # placeholder: key
SAME_ALWAYS = ("8c56b656", "0af7651916cd43dd")  # ids of the requests, not of the host

UPLOAD = re.compile(r"POST (/\S+), ([\d,]+) bytes, (chunked|with Content-Length)")
LONG = {  # the recording names these requests by their length
    "header of 30,000": b"GET /api/open HTTP/1.1\r\nHost: example\r\nx-long: %b\r\n" % (b"a" * 30_000),
    "header of 33,000": b"GET /api/open HTTP/1.1\r\nHost: example\r\nx-long: %b\r\n" % (b"a" * 33_000),
    "path of 8,000": b"GET /api/t/name/%b HTTP/1.1\r\nHost: example\r\n" % (b"a" * 8_000),
    "path of 8,300": b"GET /api/t/name/%b HTTP/1.1\r\nHost: example\r\n" % (b"a" * 8_300),
}


class Row(NamedTuple):
    """A request and its answer. `got` has [milliseconds, text] for each piece, `end` is closed, reset, silent, or open:
    the answer is whole and the connection stays. Texts are bytes read as Latin-1."""

    name: str
    sent: str
    got: list[tuple[int, str]]
    end: str


def recorded() -> dict[str, Row]:
    rows = (Row(**json.loads(line)) for line in (FOLDER / "answers.jsonl").read_text("utf-8").splitlines())
    return {row.name: row for row in rows}


def ask_all(address: tuple[str, int], keys: Mapping[str, str] = KEYS) -> dict[str, Row]:
    """Sends the same requests to another host, several at once, the slow ones first."""

    def ask_again(row: Row) -> Row:
        got, end = ask(address, request(row, keys))
        return Row(row.name, row.sent, [(ms, tidy(text, keys)) for ms, text in got], end)

    rows = sorted(recorded().values(), key=lambda row: -max((ms for ms, _ in row.got), default=0))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return {row.name: row for row in pool.map(ask_again, rows)}


def request(row: Row, keys: Mapping[str, str]) -> Iterable[bytes]:
    """The pieces of a request, with real keys."""
    if upload := UPLOAD.fullmatch(row.sent):
        return uploaded(upload[1], int(upload[2].replace(",", "")), upload[3] == "chunked")
    if row.name in LONG:
        return [LONG[row.name] + b"Connection: close\r\n\r\n"]
    text = row.sent
    for name, value in keys.items():
        text = text.replace(name, value).replace(name.lower(), value.swapcase()).replace(coded(name), coded(value))
    return [text.encode("latin-1")]


def coded(text: str) -> str:
    return "".join(f"%{ord(character):02X}" for character in text)


def uploaded(path: str, size: int, chunked: bool) -> Iterable[bytes]:
    framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}"
    yield f"POST {path} HTTP/1.1\r\nHost: example\r\n{framing}\r\nConnection: close\r\n\r\n".encode()
    piece = b"x" * 65_536
    for left in range(size, 0, -len(piece)):
        now = piece[:left]
        yield b"%x\r\n%b\r\n" % (len(now), now) if chunked else now
    yield b"0\r\n\r\n" if chunked else b""


def ask(address: tuple[str, int], pieces: Iterable[bytes]) -> tuple[list[tuple[int, str]], str]:
    got: list[tuple[int, str]] = []
    with socket.create_connection(address, PATIENCE_S) as sock:
        begin = time.monotonic()
        sock.settimeout(UPLOAD_PATIENCE_S)
        try:
            for piece in pieces:
                sock.sendall(piece)
        except OSError:
            pass  # a host may answer and close before it has all of a body
        sock.settimeout(PATIENCE_S)
        try:
            while data := sock.recv(1 << 20):
                got.append((round((time.monotonic() - begin) * 1000), data.decode("latin-1")))
                if is_whole("".join(text for _, text in got)):
                    sock.settimeout(STAYS_OPEN_S)
        except TimeoutError:
            return got, "open" if sock.gettimeout() == STAYS_OPEN_S else "silent"
        except ConnectionResetError:
            return got, "reset"
    return got, "closed"


def tidy(text: str, keys: Mapping[str, str]) -> str:
    """The answer without the parts that differ on every call."""
    if "Mon, 01 Jan 2024" not in text:
        text = re.sub(r"(?i)(\r\ndate: )[^\r]*GMT", r"\1DATE", text)
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(?!\w)", lambda m: own(m[0], "UUID"), text)
    text = re.sub(r"00-[0-9a-f]{32}-[0-9a-f]{16}-\d\d", lambda m: own(m[0], "00-TRACE-SPAN-00"), text)
    text = re.sub(r"(127\.0\.0\.1|localhost|0\.0\.0\.0):\d+", r"\1:PORT", text)
    for name, value in keys.items():
        text = text.replace(value, name)
    return text


def own(found: str, otherwise: str) -> str:
    return found if any(id_ in found for id_ in SAME_ALWAYS) else otherwise


def cut(row: Row) -> Row:
    """The answer in the recording's form, which shortens a long text."""
    pieces = [
        (ms, f"{text[:CUT_TEXT]}… ({len(text):,} bytes)" if len(text) > LONG_TEXT else text) for ms, text in row.got
    ]
    return row._replace(got=pieces)


def compared(original: Row, here: Row) -> tuple[dict[str, str], bool]:
    """The differences, part by part, and whether `here` is kinder. The pace of an upload depends on the machine."""
    timed = UPLOAD.fullmatch(original.sent) is None
    answers = read(original.got, original.end, timed), read(here.got, here.end, timed)
    return differences(*answers), is_kinder(*answers)


def main(url: str, out: str = os.devnull) -> int:
    """0: no answer is kinder than the recorded one, 1: some are."""
    split, worst = urlsplit(url), 0
    given = {"$KEY$": os.environ.get("FUNCTION_HOST_KEY"), "$MASTER$": os.environ.get("FUNCTION_MASTER_KEY")}
    answers = ask_all((split.hostname or "", split.port or 80), KEYS | {k: v for k, v in given.items() if v})
    Path(out).write_text("".join(json.dumps(cut(row)._asdict()) + "\n" for row in answers.values()), "utf-8")
    for name, row in recorded().items():
        found, kinder = compared(row, answers[name])
        if found:
            print("KINDER" if kinder else "differs", name, *(f"\n    {line}" for line in found.values()))
        worst = max(worst, kinder)
    return worst


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
