"""`python -m emulator doctor`: is a deployed proxy well? Looked at from the outside, one thing after another."""

import ipaddress
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from ..tape.cassette import Response
from ..tape.usage import tokens_of
from .troubleshooting import Problem, meaning_of, read, require

PATH = "/api/v1"
CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 240.0  # longer than the proxy itself waits for Azure, so that its own error is heard
SKEW_SECONDS = 300  # more, and tokens are refused
COLD_SECONDS = 2.0  # a first answer that takes this much longer than the second waited for an instance
AT_ONCE_SECONDS = 0.05  # between the first and the last piece of a stream that somebody collected
LIMITS = ("x-ratelimit-remaining-requests", "x-ratelimit-remaining-tokens")

BREAKS = (  # how a call can end without a whole answer, and its row in the README
    ((httpx.ConnectError, httpx.ConnectTimeout), "no connection to the proxy"),
    (httpx.TimeoutException, "504 `upstream_timeout`"),
    (httpx.HTTPError, "502 `upstream_stream_broken`"),
)
PROMPT = "Reply with the word ready."
COUNT = "Count from 1 to 30, with commas."


@dataclass(frozen=True)
class Check:
    """`result` is ok, note (worth knowing) or problem; `found` is what was seen, `meaning` what to do."""

    name: str
    result: str
    found: str
    meaning: str = ""
    tokens: int = 0


class Doctor:
    """`calls`: whether Azure is asked, which costs a few tokens; `embeddings` is a model to try as well."""

    def __init__(self, base_url: str, key: str, *, calls: bool = True, model: str = "", embeddings: str = "") -> None:
        self.base_url, self.key, self.model, self.embeddings = base_url.rstrip("/"), key, model, embeddings
        self.url = urlsplit(self.base_url)
        free = [self.address, self.dns, self.connection, self.health, self.clock, self.start]
        asked = [self.chat, self.stream, self.responses] if calls else []
        self.steps = [*free, *asked, *([self.vectors] if calls and embeddings else [])]
        self.models: list[str] = []
        self.date = ""
        self.seconds = 0.0  # that the first answer took

    def examine(self) -> Iterator[Check]:
        """Each check as it ends; nothing after a problem that stops the rest."""
        timeout = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
        self.tls = httpx.create_ssl_context()  # trusts whom the OpenAI SDK trusts
        with httpx.Client(headers={"x-functions-key": self.key}, timeout=timeout, verify=self.tls) as self.client:
            for step in self.steps:
                name = step.__name__
                try:
                    yield step()
                except Problem as problem:
                    yield Check(name, "problem", self.hidden(problem.found), meaning_of(problem.cause))
                except httpx.HTTPError as error:
                    cause = next(row for kinds, row in BREAKS if isinstance(error, kinds))
                    found = f"no whole answer: {type(error).__name__}: {error}"
                    yield Check(name, "problem", self.hidden(found), meaning_of(cause))
                else:
                    continue
                if step not in (self.stream, self.responses):
                    return

    def address(self) -> Check:
        """The shape of the base URL."""
        try:
            plain = bool(self.url.hostname) and not self.url.query and self.url.port != 0
        except ValueError:
            plain = False
        if not plain or self.url.scheme not in ("http", "https"):
            raise Problem(f"{self.base_url!r} is no base URL", "a base URL")
        if self.url.path != PATH:
            raise Problem(f"its path is {self.url.path or '/'!r}, not {PATH!r}", "a base URL")
        if self.url.scheme == "http" and not is_loopback(str(self.url.hostname)):
            raise Problem("it is http: the key would travel for everybody to read", "a base URL")
        return Check("address", "ok", self.base_url)

    @property
    def port(self) -> int:
        return self.url.port or (443 if self.url.scheme == "https" else 80)

    def dns(self) -> Check:
        try:
            found = socket.getaddrinfo(self.url.hostname, self.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise Problem(f"{self.url.hostname}: {error}", "the name is not known") from error
        return Check("dns", "ok", ", ".join(dict.fromkeys(str(entry[4][0]) for entry in found)))

    def connection(self) -> Check:
        """TCP, and TLS where the URL is https."""
        host, started = str(self.url.hostname), time.monotonic()
        try:
            with socket.create_connection((host, self.port), CONNECT_SECONDS) as sock:
                if self.url.scheme == "http":
                    return Check("connection", "ok", f"{took(started)}, without TLS")
                with self.tls.wrap_socket(sock, server_hostname=host) as secured:
                    return Check("connection", "ok", f"{took(started)}, {secured.version()}")
        except OSError as error:
            raise Problem(f"port {self.port}: {error}", "no connection to the proxy") from error

    def health(self) -> Check:
        """GET models, which the proxy answers without asking Azure."""
        started = time.monotonic()
        answer = self.client.get(f"{self.base_url}/models")
        self.seconds, self.date = time.monotonic() - started, answer.headers.get("date", "")
        require(answer)
        try:
            self.models = [str(entry["id"]) for entry in answer.json()["data"]]
        except (ValueError, TypeError, KeyError) as error:
            raise Problem("an answer that is no list of models", "a page instead of an error") from error
        return Check("health", "ok", f"serves {', '.join(self.models)}")

    def clock(self) -> Check:
        try:
            skew = (parsedate_to_datetime(self.date) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return Check("clock", "note", "the answer has no date")
        if abs(skew) > SKEW_SECONDS:
            return Check("clock", "note", f"{abs(skew):.0f} s apart from the proxy's", meaning_of("a clock"))
        return Check("clock", "ok", f"less than {SKEW_SECONDS} s apart from the proxy's")

    def start(self) -> Check:
        """How long an instance took to start, if the first call had to wait for one."""
        started = time.monotonic()
        require(self.client.get(f"{self.base_url}/models"))
        again = time.monotonic() - started
        found = f"first answer after {self.seconds:.2f} s, second after {again:.2f} s"
        cold = self.seconds > again + COLD_SECONDS
        return Check("start", "note" if cold else "ok", found, meaning_of("a slow first call") if cold else "")

    def chat(self) -> Check:
        answer = self.ask("chat/completions", self.question(PROMPT, 16))
        left = [f"{name.rsplit('-', 1)[1]} left {answer.headers[name]}" for name in LIMITS if name in answer.headers]
        return self.counted("chat", answer, answer.content, *left)

    def stream(self) -> Check:
        """Whether the pieces of a stream arrive as they are written."""
        asked = self.question(COUNT, 120) | {"stream": True, "stream_options": {"include_usage": True}}
        text, arrived = b"", list[float]()
        with self.client.stream("POST", f"{self.base_url}/chat/completions", json=asked) as answer:
            if answer.is_error:
                answer.read()
            require(answer)
            for piece in answer.iter_bytes():
                arrived.append(time.monotonic())
                text += piece
        frames = [line[6:] for line in text.decode(errors="replace").splitlines() if line.startswith("data: ")]
        for frame in frames:
            if frame != "[DONE]":
                read(frame)
        if not frames or frames[-1] != "[DONE]":
            raise Problem(f"{len(frames)} frames and no [DONE]", "502 `upstream_stream_broken`")
        if arrived[-1] - arrived[0] < AT_ONCE_SECONDS:
            raise Problem(f"{len(frames)} frames in one moment", "a stream that arrives all at once")
        return self.counted("stream", answer, text, f"{len(frames)} frames in {arrived[-1] - arrived[0]:.2f} s")

    def responses(self) -> Check:
        asked = {"model": self.asked_model, "input": PROMPT, "max_output_tokens": 16, "store": False}
        answer = self.ask("responses", asked)
        return self.counted("responses", answer, answer.content)

    def vectors(self) -> Check:
        answer = self.ask("embeddings", {"model": self.embeddings, "input": PROMPT})
        return self.counted("vectors", answer, answer.content)

    @property
    def asked_model(self) -> str:
        return self.model or next(iter(self.models), "")

    def question(self, prompt: str, most: int) -> dict[str, Any]:
        messages = [{"role": "user", "content": prompt}]
        return {"model": self.asked_model, "messages": messages, "max_completion_tokens": most}

    def ask(self, route: str, asked: dict[str, Any]) -> httpx.Response:
        answer = require(self.client.post(f"{self.base_url}/{route}", json=asked))
        read(answer.content)
        return answer

    def counted(self, name: str, answer: httpx.Response, body: bytes, *facts: str) -> Check:
        used = tokens_of(Response(answer.status_code, "", tuple(answer.headers.multi_items()), body)).total
        model = self.embeddings if name == "vectors" else self.asked_model
        return Check(name, "ok", ", ".join([model, f"{used} tokens", *facts]), tokens=used)

    def hidden(self, text: str) -> str:
        """Without the key, whoever repeated it."""
        return text.replace(self.key, "…")


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def took(started: float) -> str:
    return f"{1000 * (time.monotonic() - started):.0f} ms"
