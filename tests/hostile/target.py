"""The proxy under attack. Sends a request, and checks the answer, the bytes that reach Azure, and the log."""

import http.client
import json
import re
import socket
import sys
import tempfile
import time
from collections import Counter as Tally
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO

from tests.hostile.attack import Attack
from tests.hostile.parts import CANARY, ELSEWHERE, KEY, SOUND
from tests.load.footprint import Counted, counted_proxy
from tests.support import Arrived, Proxy, RawUpstream, raw_upstream

SECONDS = 20.0  # a busy machine may take so long; a longer wait is a hang
PATIENCE_SECONDS = 0.05  # after a request that deserves no answer
GAP_SECONDS = 0.002  # between two pieces of a request
ANSWER = b'{"object":"chat.completion","choices":[]}'
REQUEST_LINE = re.compile(
    r"(POST /openai/v1/(audio/(transcriptions|speech)|images/(generations|edits))"
    r"|GET /openai/v1/containers/[\w-]{1,256}/files/[\w-]{1,256}/content"
    r"|POST /openai/v1/(chat/completions|embeddings|responses(/(input_tokens|compact|[\w-]{1,256}/cancel))?)"
    r"|(GET|DELETE) /openai/v1/responses/[\w-]{1,256}|GET /openai/v1/responses/[\w-]{1,256}/input_items)"
    r"(\?[!-~]*)? HTTP/1\.1",
    re.ASCII,
)
MAY_ARRIVE = re.compile(
    r"host|authorization|content-length|content-type|accept|accept-encoding|user-agent|traceparent|tracestate"
    r"|x-client-request-id|x-ms-client-request-id|openai-.*|x-stainless-.*"
)
ONCE = ("host", "authorization", "content-length")
LEFT_OPEN = (  # the host watches how the first such call ends, for as long as proxy/worker.py waits
    b"GET /api/v1/models HTTP/1.1\r\nhost: x\r\nx-functions-key: %s\r\nx-odd: caf\xc3\xa9\r\n\r\n" % KEY
)
OF_THE_HOST = re.compile(rb"\Z|in Azure|HTTP/")  # the body of the host's own 500; the next answer may follow
FAILURE = re.compile(rb"HTTP/1\.1 5\d\d [^\r]*\r\n(?:[^\r]+\r\n)*\r\n(?!%s)" % OF_THE_HOST.pattern)
LOG_MAY_NOT_SHOW = (b"Traceback", b"unexpected error", CANARY, b"of-the-caller")


def respond(_: Arrived, sock: socket.socket) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(ANSWER)
    sock.sendall(head + ANSWER)


@dataclass
class Target:
    """`answers` counts the answers by status; status 0 counts the requests without an answer."""

    counted: Counted
    upstream: RawUpstream
    elsewhere: RawUpstream
    log: IO[bytes]
    answers: Tally[int] = field(default_factory=Tally)
    log_read: int = 0
    told: bool = False
    straggling: bool = False

    @property
    def running(self) -> Proxy:
        return self.counted.running

    def attempt(self, attack: Attack) -> None:
        """Sends the attack, and compares everything visible with the promises. Raises AssertionError."""
        try:
            self.judge(attack, self.send(attack))
        except AssertionError as problem:
            if not self.told:  # the original request, before hypothesis looks for a smaller one
                self.told = True
                sys.stderr.write(f"\n{attack}\n{problem}\n")
            raise

    def send(self, attack: Attack) -> bytes:
        """The bytes that came back: a whole answer, or less."""
        port = int(self.running.base_url.split(":")[2].split("/")[0])
        with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as sock:
            try:
                with suppress(ConnectionError):  # the proxy refused the request before all of it was sent
                    self.send_pieces(attack, sock)
                return self.answer_to(attack, sock) if attack.honest else self.whatever_comes(attack, sock)
            except TimeoutError as error:
                raise AssertionError(f"no answer within {SECONDS} s") from error

    def send_pieces(self, attack: Attack, sock: socket.socket) -> None:
        real = b"127.0.0.1:%05d" % self.elsewhere.port
        for number, piece in enumerate(attack.pieces):
            if number:
                time.sleep(GAP_SECONDS)
            sock.sendall(piece.replace(ELSEWHERE, real))

    def answer_to(self, attack: Attack, sock: socket.socket) -> bytes:
        response = http.client.HTTPResponse(sock, method=attack.method)
        try:
            response.begin()
            body = response.read()
        except (http.client.HTTPException, ConnectionError) as error:
            raise AssertionError(f"no whole answer: {error!r}") from error
        finally:
            response.close()
        self.answers[response.status] += 1
        assert response.status < 500 or OF_THE_HOST.match(body), f"{response.status} {body!r}"
        return str(response.headers).encode() + body

    def whatever_comes(self, attack: Attack, sock: socket.socket) -> bytes:
        received = b""
        try:
            if attack.patient:
                sock.settimeout(PATIENCE_SECONDS)
            else:
                sock.shutdown(socket.SHUT_WR)
            while part := sock.recv(65_536):
                received += part
        except TimeoutError:
            if not attack.patient:
                raise
        except OSError:
            pass  # the other side has closed the connection
        statuses = re.findall(rb"HTTP/1\.1 (\d{3})", received)
        self.answers.update(map(int, statuses or [0]))
        assert not FAILURE.search(received), received
        return received

    def judge(self, attack: Attack, answer: bytes) -> None:
        arrived, self.upstream.arrived[:] = self.upstream.arrived[:], []
        secrets = {KEY, self.running.azure.identity.header.encode()}
        for request in arrived:
            self.judge_arrived(request, secrets)
        tokens = {request.headers["authorization"].removeprefix("Bearer ").encode() for request in arrived}
        assert not self.elsewhere.arrived, f"a request went elsewhere: {self.elsewhere.arrived}"
        # the request of a caller that hung up may arrive together with the next one
        assert len(arrived) <= 1 or self.straggling or not attack.honest, f"one request became {len(arrived)}"
        self.straggling = not attack.honest
        for secret in secrets | tokens:
            assert secret not in answer, f"{secret!r} is in the answer {answer!r}"
        self.judge_log(secrets | tokens)
        assert self.running.process.poll() is None, "the process died"

    def judge_arrived(self, request: Arrived, secrets: set[bytes]) -> None:
        assert REQUEST_LINE.fullmatch(request.line), f"Azure got {request.line!r}"
        names = [line.partition(b":")[0].decode("latin-1").lower() for line in request.head.split(b"\r\n")[1:]]
        assert all(MAY_ARRIVE.fullmatch(name) for name in names), f"Azure got the headers {names}"
        assert all(names.count(name) == 1 for name in ONCE if name != "content-length" or request.body), names
        assert request.headers["host"] == self.upstream.base.removeprefix("http://"), request.head
        assert self.running.azure.identity.accepts(request.headers["authorization"].removeprefix("Bearer "))
        assert b"of-the-caller" not in request.head, request.head
        for secret in secrets:
            assert secret not in request.head, f"{secret!r} reached Azure in {request.head!r}"

    def judge_log(self, secrets: set[bytes]) -> None:
        """Checks the log lines since the last call of this method."""
        self.log.seek(max(0, self.log_read - 200))  # a canary may stand across the last position
        logged = self.log.read()
        self.log_read = self.log.tell()
        for word in {*LOG_MAY_NOT_SHOW, *secrets}:
            assert word not in logged, f"{word!r} is in the log: …{logged[-3_000:].decode(errors='replace')}"

    def assert_lives(self) -> None:
        """Checks that a good request still works: Azure gets the caller's bytes, and the caller gets Azure's."""
        head = b"POST /api/v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-functions-key: %s\r\n" % KEY
        good = Attack((head + b"content-length: %d\r\n\r\n" % len(SOUND) + SOUND,), "POST", honest=True, patient=True)
        self.upstream.arrived.clear()
        answer = self.send(good)
        assert answer.endswith(ANSWER), answer
        assert [request.body for request in self.upstream.arrived] == [SOUND]
        self.judge(good, answer)


@contextmanager
def target(backend: str | None = None) -> Iterator[Target]:
    """A fresh proxy and its log, in front of a server that notes every byte. A second server notes calls that the proxy
    must never make."""
    with tempfile.TemporaryFile() as log, raw_upstream() as upstream, raw_upstream() as elsewhere:
        upstream.answer = elsewhere.answer = respond
        settings = {"FUNCTION_HOST_KEY": KEY.decode(), **({"FUNCTIONS_HOST_BACKEND": backend} if backend else {})}
        with counted_proxy(upstream.base, settings, verbose=True, log=log) as counted:
            under_attack = Target(counted, upstream, elsewhere, log)
            under_attack.assert_lives()
            under_attack.send(Attack((LEFT_OPEN,), "GET", honest=False, patient=True))
            yield under_attack


def describe(answers: Tally[int]) -> str:
    return json.dumps({str(status or "none"): count for status, count in sorted(answers.items())})
