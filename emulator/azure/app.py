"""The fake Azure OpenAI: an ASGI application that authenticates like Azure and answers from recordings.

/msi/token            the managed identity endpoint
/_emulator/journal    what arrived (GET) and a fresh start (DELETE), for tests in other processes
everything else       Azure OpenAI's data plane, dated and v1
"""

import asyncio
import hmac
import json
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from ..connection import EXTENSION, Connection
from ..tape import diagnose
from ..tape.canonical import key_of, parse_body
from ..tape.cassette import COMPLETE, Response
from ..tape.library import Library, Take
from ..tape.route import parse
from ..tape.stream import pieces
from . import errors
from .identity import ManagedIdentity
from .journal import Exchange, Journal
from .rules import facts_of, refusal

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

IDENTITY_PATH = "/msi/token"
CONTROL_PATH = "/_emulator/journal"
FAULT_HEADER = "openai-emulator-fault"  # the proxy forwards openai-*, and Azure ignores what it does not know
BREAKS = {  # what the client did is not known; it got no more than this
    "reset": Connection.reset,
    "truncated": Connection.finish,
    "client_cancelled": Connection.finish,
}
NOT_REPLAYED = ("content-length", "transfer-encoding", "connection", "keep-alive")  # the server's own business


class ClientLeft(Exception):
    """The caller closed the connection before the answer was complete."""


class FakeAzure:
    """`hold`, when a test sets it, is awaited before each piece of a body with the exchange and the piece's number:
    a schedule of the test's own. `fault` is the name of an error (errors.yaml) that every request gets; the header
    `openai-emulator-fault` asks for one in a single request. `deployments` are those that exist; empty: any."""

    def __init__(self, library: Library, time_scale: float = 0.0) -> None:
        self.library, self.time_scale = library, time_scale
        self.identity = ManagedIdentity()
        self.api_key = secrets.token_urlsafe(24)
        self.journal = Journal()
        self.hold: Callable[[Exchange, int], Awaitable[None]] | None = None
        self.fault: str | None = None
        self.deployments = frozenset(library.deployments())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
        query = scope["query_string"].decode("latin-1")
        if scope["path"].rstrip("/") == IDENTITY_PATH:
            status, body = self.identity.answer(query, dict(headers).get("x-identity-header"))
            await respond(send, status, (errors.JSON,), body)
        elif scope["path"] == CONTROL_PATH:
            await self.control(scope["method"], send)
        else:
            target = scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")
            connection = scope.get("extensions", {}).get(EXTENSION)
            exchange = Exchange(scope["method"], target, headers, connection=connection)
            self.journal.add(exchange)
            try:
                exchange.body = await read_body(receive)
                await until_client_leaves(receive, self.answer(exchange, send))
                self.journal.ended(exchange, "complete")
            except (ClientLeft, OSError):
                self.journal.ended(exchange, exchange.broken or "client_left")

    async def answer(self, exchange: Exchange, send: Send) -> None:
        """Authenticate, refuse what Azure refuses, find the recording, play it."""
        route, parsed = parse(exchange.target), parse_body(exchange.body)
        refused = self.unauthorized(exchange) or self.fault_for(exchange) or refusal(route, parsed, self.deployments)
        if refused:
            await self.send_error(refused, facts_of(route, parsed), exchange, send)
            return
        assert route is not None
        key = key_of(exchange.method, route, parsed)
        take = self.library.take(key, route.generation)
        if take is None:
            exchange.status = 424
            exchange.miss = diagnose.explain(key, exchange.body, self.library)
            await respond(send, 424, errors.NO_RECORDING_HEADERS, errors.no_recording(exchange.miss))
            return
        await self.play(take, exchange, send)

    def fault_for(self, exchange: Exchange) -> str | None:
        """The name of the error that the test, or the request itself, asks for."""
        return exchange.header(FAULT_HEADER) or self.fault

    async def send_error(self, name: str, facts: dict[str, str], exchange: Exchange, send: Send) -> None:
        error = errors.ERRORS.get(name)
        if error is None:
            exchange.status, exchange.miss = 424, f"There is no error {name!r}. Known are: {', '.join(errors.ERRORS)}."
            await respond(send, 424, errors.NO_RECORDING_HEADERS, errors.no_recording(exchange.miss, "unknown_fault"))
            return
        exchange.status, body = error.status, error.body_for(facts)
        length = [] if error.chunked else [("content-length", str(len(body)))]
        await start(send, error.status, [*error.headers_for(facts), *length])
        await send({"type": "http.response.body", "body": body})

    async def play(self, take: Take, exchange: Exchange, send: Send) -> None:
        response = take.interaction.response
        exchange.recording, exchange.status = take.interaction.label, response.status
        try:
            await self.send_recorded(response, exchange, send)
            self.library.played(take)
        finally:
            self.library.give_back(take)
        if response.outcome != COMPLETE:
            await self.break_off(response.outcome, exchange)

    async def break_off(self, how: str, exchange: Exchange) -> None:
        """Break the connection as a cassette says (cassette.OUTCOMES), and wait for its end."""
        assert exchange.connection is not None
        exchange.broken = how
        BREAKS[how](exchange.connection)
        await asyncio.Event().wait()  # until the disconnect cancels it

    async def send_recorded(self, response: Response, exchange: Exchange, send: Send) -> None:
        kept = [(name, value) for name, value in response.headers if name.lower() not in NOT_REPLAYED]
        if not response.header("transfer-encoding"):
            length = response.header("content-length") if response.outcome != COMPLETE else ""
            kept.append(("content-length", length or str(len(response.body))))
        await start(send, response.status, kept)
        started = time.monotonic()
        played = pieces(response, self.time_scale)
        for number, piece in enumerate(played):
            if self.hold:
                await self.hold(exchange, number)
            if (wait := started + piece.at - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            self.journal.sent(exchange)
            more = response.outcome != COMPLETE or number + 1 < len(played)
            await send({"type": "http.response.body", "body": piece.data, "more_body": more})
        if response.outcome == COMPLETE and not played:
            await send({"type": "http.response.body", "body": b""})

    def unauthorized(self, exchange: Exchange) -> str | None:
        """Azure's 401, unless the caller shows the key or a token of the managed identity."""
        key, authorization = exchange.header("api-key"), exchange.header("authorization") or ""
        if key is not None:
            return None if hmac.compare_digest(key.encode(), self.api_key.encode()) else "bad_key"
        scheme, _, token = authorization.partition(" ")
        return None if scheme.lower() == "bearer" and self.identity.accepts(token) else "bad_token"

    async def control(self, method: str, send: Send) -> None:
        if method == "DELETE":
            self.reset()
        exchanges = [exchange.as_json() for exchange in self.journal.exchanges]
        await respond(send, 200, (errors.JSON,), json.dumps({"exchanges": exchanges}).encode())

    def reset(self) -> None:
        """Forget what arrived and play every recording from its start."""
        self.journal.clear()
        self.library.rewind()
        self.identity.behave()
        self.hold = self.fault = None


async def read_body(receive: Receive) -> bytes:
    chunks = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(chunks)


async def until_client_leaves(receive: Receive, work: Awaitable[None]) -> None:
    """Do the work; raises ClientLeft when the client leaves first."""
    working, left = asyncio.current_task(), False
    assert working is not None

    async def watch() -> None:
        nonlocal left
        while (await receive())["type"] != "http.disconnect":
            pass
        left = working.cancel()

    watching = asyncio.create_task(watch())
    try:
        await work
    except asyncio.CancelledError:
        if left and not working.uncancel():
            raise ClientLeft from None
        raise
    finally:
        watching.cancel()


async def start(send: Send, status: int, headers: Any) -> None:
    raw = [(name.lower().encode("latin-1"), str(value).encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": raw})


async def respond(send: Send, status: int, headers: Any, body: bytes) -> None:
    await start(send, status, [*headers, ("content-length", str(len(body)))])
    await send({"type": "http.response.body", "body": body})
