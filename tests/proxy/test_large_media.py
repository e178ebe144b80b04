"""The largest sounds and images that Azure takes pass, and the memory that they need is bounded."""

import os
import re
import socket
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import httpx
import openai
import pytest

from tests.load.footprint import needs_proc
from tests.proxy.test_media import JSON, SSE
from tests.support import Arrived, Proxy, RawUpstream, proxy, sending
from tests.warm_host import COLD

pytestmark = needs_proc
SOUND_BYTES, IMAGE_BYTES = 25_000_000, 50_000_000  # Azure's limits
TIMES = 3.2  # of a body: its pieces and their whole, and in one process with them what the local host holds
SPARE_BYTES = 12_000_000
BOUNDARY = b"b" * 32


@pytest.fixture(scope="module")
def large(upstream: RawUpstream) -> Iterator[Proxy]:
    settings = {"AZURE_OPENAI_DEPLOYMENT": "scribe,painter=my-painter", COLD: "1"}  # a fork shares memory
    with proxy(upstream.base, settings) as running:
        warm = {"file": ("a.mp3", b"x" * 1_000_000), "model": (None, "scribe")}
        upstream.answer = sending(b'{"text":"x"}', JSON)
        httpx.post(f"{running.base_url}/audio/transcriptions", headers=running.headers, files=warm).raise_for_status()
        yield running


class Peak:
    """The most memory that a process holds from now on."""

    def __init__(self, running: Proxy) -> None:
        self.folder = Path(f"/proc/{running.process.pid}")
        (self.folder / "clear_refs").write_text("5")  # proc(5): the peak counts anew
        self.before = self.bytes("VmRSS")

    def bytes(self, name: str) -> int:
        found = re.search(rf"{name}:\s+(\d+) kB", (self.folder / "status").read_text())
        assert found
        return int(found[1]) * 1_024

    @property
    def grown(self) -> int:
        return self.bytes("VmHWM") - self.before


@pytest.mark.parametrize(("route", "size"), [("audio", SOUND_BYTES), ("images", IMAGE_BYTES)])
def test_the_largest_file_passes_in_bounded_memory(upstream: RawUpstream, large: Proxy, route: str, size: int) -> None:
    content = os.urandom(1_000_000) * (size // 1_000_000)
    with openai.OpenAI(base_url=large.base_url, api_key="x", default_headers=large.headers, max_retries=0) as sdk:
        peak = Peak(large)
        if route == "audio":
            upstream.answer = sending(b'{"text":"Good day"}', JSON)
            assert sdk.audio.transcriptions.create(model="scribe", file=("a.wav", content)).text == "Good day"
        else:
            upstream.answer = sending(b'{"created":1,"data":[{"b64_json":"AAAA"}]}', JSON)
            assert sdk.images.edit(model="painter", image=BytesIO(content), prompt="At night").data
    assert peak.grown < TIMES * size + SPARE_BYTES
    assert content in upstream.arrived[-1].body
    named = b'name="model"\r\n\r\n%s\r\n' % (b"scribe" if route == "audio" else b"my-painter")
    assert named in upstream.arrived[-1].body


def test_a_model_behind_the_largest_file_is_rewritten(upstream: RawUpstream, large: Proxy) -> None:
    head = b'Content-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
    model = b'Content-Disposition: form-data; name="model"\r\n\r\n%s'
    parts = [head + b"\r\n--" * (IMAGE_BYTES // 4), model]
    body = b"".join(b"--%s\r\n%s\r\n" % (BOUNDARY, part) for part in parts) + b"--%s--\r\n" % BOUNDARY
    headers = large.headers | {"content-type": f"multipart/form-data; boundary={BOUNDARY.decode()}"}
    upstream.answer = sending(b'{"created":1,"data":[]}', JSON)
    peak = Peak(large)
    httpx.post(
        f"{large.base_url}/images/edits", headers=headers, content=body % b"painter", timeout=60
    ).raise_for_status()
    assert peak.grown < TIMES * IMAGE_BYTES + SPARE_BYTES
    assert upstream.arrived[-1].body == body % b"my-painter"


def test_no_refused_body_is_kept(large: Proxy) -> None:
    peak = Peak(large)
    headers = large.headers | {"content-type": "multipart/form-data; boundary=x"}
    for _ in range(4):
        for route in ("audio/transcriptions", "chat/completions"):
            url = f"{large.base_url}/{route}"
            assert httpx.post(url, headers=headers, content=b"[" * SOUND_BYTES, timeout=60).status_code == 400
    assert peak.grown < 2 * TIMES * SOUND_BYTES + SPARE_BYTES


def test_an_event_of_many_megabytes_passes_in_little_memory(upstream: RawUpstream, large: Proxy) -> None:
    """The last event is too large to be kept."""
    size = 40_000_000

    def answer(_: Arrived, sock: socket.socket) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\n%s\r\nconnection: close\r\n\r\n" % SSE)
        sock.sendall(b'data: {"type":"image_generation.completed","b64_json":"')
        for _ in range(size // 1_000_000):
            sock.sendall(b"A" * 1_000_000)
        sock.sendall(b'","usage":{"input_tokens":1,"output_tokens":2,"total_tokens":3}}\n\n')
        sock.shutdown(socket.SHUT_WR)

    upstream.answer = answer
    peak, received = Peak(large), 0
    sent = {"model": "painter", "prompt": "x", "stream": True}
    with httpx.stream("POST", f"{large.base_url}/images/generations", headers=large.headers, json=sent) as streamed:
        for piece in streamed.iter_raw():
            received += len(piece)
    assert received > size
    assert peak.grown < SPARE_BYTES
