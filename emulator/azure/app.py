"""The fake Azure OpenAI: an ASGI application that authenticates like Azure and answers from recordings.

/msi/token         the managed identity endpoint
/_emulator…        what tells of the emulator and changes it, where somebody handed it a `control`
everything else    Azure OpenAI's data plane, dated and v1
"""

import asyncio
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable

from ..connection import EXTENSION
from ..match import diagnose
from ..match.library import Library, Take
from ..tape.estimate import expected_tokens
from ..tape.interaction import COMPLETE, Headers, Request, Response
from ..tape.route import parse
from . import errors, faults
from .answerer import Answerer, Made, Remark, first
from .asgi import ClientLeft, Receive, Scope, Send, head, headers_of, read_body, respond, target_of
from .delivery import deliver
from .faults import Fault, FaultError
from .identity import ManagedIdentity
from .journal import Exchange, Journal
from .limits import Limits
from .plan import Plan, Plans, as_recorded, with_headers
from .question import Question, question_of
from .rules import facts_of, unknown

IDENTITY_PATH = "/msi/token"
IDENTITY_PATHS = (IDENTITY_PATH, f"{IDENTITY_PATH}/")
CONTROL_PATH = "/_emulator"
CONTROL_LENGTH = len(CONTROL_PATH)
UNAUTHORIZED = ("bad_key", "bad_token")
FAULT_HEADER = "openai-emulator-fault"  # the proxy forwards openai-*, and Azure ignores unknown headers

Control = Callable[[Scope, Receive, Send], Awaitable[None]]


async def no_control(_: Scope, __: Receive, send: Send) -> None:
    await respond(send, 404, (), b"")


class FakeAzure:
    """`hold`, when a test sets it, is awaited before each piece of a body with the exchange and the piece's number:
    a schedule of the test's own. `fault` is what goes wrong with every request (`misbehave` sets it); the header
    `openai-emulator-fault` asks for it in a single one. `limits` are rate limits. `deployments` are those that exist;
    empty: any. `before` and `after` answer what no recording is asked for, and what none answers; `remarks` are added
    to a miss. `control` answers what is below /_emulator. `any_key` lets every caller in who shows a key or a token,
    whatever it is."""

    records = False  # whether a live service answers what no recording does

    def __init__(self, library: Library, time_scale: float = 0.0) -> None:
        self.library, self.time_scale = library, time_scale
        self.identity = ManagedIdentity()
        self.api_key = secrets.token_hex(16)  # 32 digits, as the older keys of Azure have
        self.journal = Journal()
        self.hold: Callable[[Exchange, int], Awaitable[None]] | None = None
        self.fault: Fault | None = None
        self.limits: Limits | None = None
        self.happened = Counter[tuple[str, bytes]]()
        self.plans = Plans()
        self.before: list[Answerer] = []
        self.after: list[Answerer] = []
        self.remarks: list[Remark] = []
        self.at_reset: list[Callable[[], None]] = []
        self.control: Control = no_control
        self.any_key = False
        self.deployments = frozenset(library.deployments())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if scope["path"] in IDENTITY_PATHS:
            header = dict(scope["headers"]).get(b"x-identity-header", b"").decode("latin-1")
            status, body = self.identity.answer(scope["query_string"].decode("latin-1"), header)
            await asyncio.sleep(self.identity.delay)
            await respond(send, status, (errors.HTML if self.identity.html else errors.JSON,), body)
        elif scope["path"][:CONTROL_LENGTH] == CONTROL_PATH:
            await self.control(scope, receive, send)
        else:
            target = target_of(scope["raw_path"], scope["query_string"])
            connection = scope["extensions"][EXTENSION]
            exchange = Exchange(scope["method"], target, headers_of(tuple(scope["headers"])), connection=connection)
            self.journal.add(exchange)
            try:
                exchange.body = await read_body(receive)
                connection.watch()
                await self.answer(exchange, send)
                self.journal.ended(exchange, "complete")
            except (ClientLeft, OSError, asyncio.CancelledError) as error:
                if isinstance(error, asyncio.CancelledError) and not connection.has_cancelled():
                    raise
                self.journal.ended(exchange, exchange.broken or "client_left")

    def answer(self, exchange: Exchange, send: Send) -> Awaitable[None]:
        """Authenticate, refuse what Azure refuses, find the recording, play it."""
        question = question_of(exchange.method, exchange.target, exchange.body)
        exchange.question, exchange.body, route = question, question.body, question.route
        try:
            fault = self.fault_for(exchange)
        except FaultError as error:
            return self.send_miss(str(error), "unknown_fault", exchange, send)
        refused = self.unauthorized(exchange)
        if question.refused and not refused and not self.is_recorded_there(question):
            refused = question.refused
        refused = refused or unknown(route, question.deployment, self.deployments)
        if fault and fault.name in errors.ERRORS and refused not in UNAUTHORIZED:
            return self.send_error(fault.name, facts_of(route, question.deployment), exchange, send, fault.waiting())
        if refused:
            return self.send_error(refused, facts_of(route, question.deployment), exchange, send)
        assert question.key is not None
        assert route is not None
        left: dict[str, str] = {}
        if self.limits:
            admitted, left = self.admit(self.limits, question, exchange)
            if not admitted:
                facts = facts_of(route, question.deployment) | {"seconds": left["retry-after"]}
                return self.send_error("rate_limited", facts, exchange, send, left)
        if self.before and (made := first(self.before, exchange, question)):
            return self.play_made(made, exchange, send, fault, left)
        take = self.library.take(question.key, route.generation, exchange.body)
        if take is None and (made := first(self.after, exchange, question)):
            return self.play_made(made, exchange, send, fault, left)
        if take is None:
            explained = [diagnose.explain(question.key, exchange.body, self.library)]
            explained += filter(None, (remark(exchange, question) for remark in self.remarks))
            return self.send_miss("\n".join(explained), "no_recorded_interaction", exchange, send)
        return self.play(take, exchange, send, fault, left)

    def is_recorded_there(self, question: Question) -> bool:
        """Whether the next recording has this very route. Azure then has the route, whatever our rules say."""
        if question.key is None or question.route is None:
            return False
        take = self.library.take(question.key, question.route.generation, question.body)
        if take is None:
            return False
        self.library.give_back(take)
        return parse(take.interaction.request.uri) == question.route

    def admit(self, limits: Limits, question: Question, exchange: Exchange) -> tuple[bool, dict[str, str]]:
        """The verdict of the deployment's rate limits; see Limits.admit."""
        if exchange.method != "POST" or not question.deployment:
            return True, {}
        tokens = expected_tokens(Request("POST", exchange.target, (), exchange.body))
        return limits.admit(question.deployment, tokens)

    def fault_for(self, exchange: Exchange) -> Fault | None:
        """The fault of this request, or else the test's; None when it has happened `times` times. Raises FaultError."""
        asked = exchange.headers.first.get(FAULT_HEADER)
        fault = faults.parse(asked) if asked else self.fault
        if fault is None:
            return None
        count = str(fault), exchange.body if asked else b""  # a retry counts with the first try
        self.happened[count] += 1
        exchange.fault = str(fault)
        return fault if fault.times is None or self.happened[count] <= fault.times else None

    async def send_miss(self, why: str, code: str, exchange: Exchange, send: Send) -> None:
        exchange.miss, body = why, errors.no_recording(why, code)
        headers = (*errors.NO_RECORDING_HEADERS, ("content-length", str(len(body))))
        await self.send_whole(424, headers, body, exchange, send)

    async def send_error(
        self, name: str, facts: dict[str, str], exchange: Exchange, send: Send, said: dict[str, str] | None = None
    ) -> None:
        error = errors.ERRORS[name]
        body, headers = error.body_for(facts), error.headers_for(facts, said)
        headers += [] if error.chunked else [("content-length", str(len(body)))]
        await self.send_whole(error.status, tuple(headers), body, exchange, send)

    async def send_whole(self, status: int, headers: Headers, body: bytes, exchange: Exchange, send: Send) -> None:
        exchange.status, exchange.sent_headers, exchange.sending = status, headers, (body,)
        await send(head(status, headers))
        self.journal.sent(exchange)
        await send({"type": "http.response.body", "body": body})

    async def play(self, take: Take, exchange: Exchange, send: Send, fault: Fault | None, left: dict[str, str]) -> None:
        """Plays a recording. If a fault hits it or its caller leaves, the next request gets it again. A recording that
        breaks off by itself counts as played."""
        recorded = take.interaction.response
        plan = self.plan(with_headers(recorded, left), fault) if fault or left else self.plans[take]
        whole = plan.whole or plan.response
        exchange.recording = take.interaction.label
        exchange.status = None if plan.silent else plan.response.status
        try:
            if fault is None and whole.outcome != COMPLETE:
                self.library.played(take)
            await deliver(plan, exchange, send, self.journal, self.time_scale, self.hold)
        except BaseException:
            self.library.give_back(take)
            raise
        if fault is None or plan.response.body == whole.body:
            self.library.played(take)
        else:
            self.library.give_back(take)

    async def play_made(
        self, made: Made, exchange: Exchange, send: Send, fault: Fault | None, left: dict[str, str]
    ) -> None:
        fault = fault or made.fault
        plan = self.plan(with_headers(made.marked, left), fault) if fault or left else made.plan
        exchange.origin = made.origin
        exchange.status = None if plan.silent else plan.response.status
        await deliver(plan, exchange, send, self.journal, self.time_scale, self.hold)

    def plan(self, response: Response, fault: Fault | None) -> Plan:
        return faults.plan(fault, response, sum(self.happened.values())) if fault else as_recorded(response)

    async def send_recorded(self, response: Response, exchange: Exchange, send: Send) -> None:
        await deliver(as_recorded(response), exchange, send, self.journal, self.time_scale, self.hold)

    def unauthorized(self, exchange: Exchange) -> str | None:
        """The name of Azure's 401; None when the caller has the key or a token of the managed identity. v1 also takes
        the key as a bearer token (Microsoft Learn, "Azure OpenAI v1 API": its first example)."""
        said = exchange.headers.first
        key = said.get("api-key")
        if self.any_key and (key or said.get("authorization")):
            return None
        if key is not None:
            return None if key == self.api_key else "bad_key"
        scheme, _, shown = said.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return "bad_token"
        token, route = shown.strip(" "), parse(exchange.target)
        is_key = token == self.api_key and route is not None and route.generation == "v1"
        return None if is_key or self.identity.accepts(token) else "bad_token"

    def reset(self) -> None:
        """Clear the journal, and play every sequence of recordings from its start."""
        self.journal.clear()
        self.library.rewind()
        self.identity.behave()
        self.hold = self.fault = self.limits = None
        self.happened.clear()
        for forget in self.at_reset:
            forget()

    def misbehave(self, wish: str) -> None:
        """Sets a fault until `reset`: one for every request (faults.py), or one of the identity endpoint. Raises
        FaultError."""
        if not self.identity.misbehave(wish):
            self.fault = faults.parse(wish)
