"""The checks of `python -m emulator doctor`, one after another, on a deployed proxy from the outside."""

import itertools
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from ..tape.frame import DONE
from .address import CONNECT_SECONDS, CONNECTION, PATH, SIGNED_PATH, Address
from .check import Check
from .conversation import Conversation, Heard
from .question import CHAT, MORE, RESPONSES, STREAM, VECTORS
from .refusal import BY_STATUS, HARMLESS, NO_DEPLOYMENT, OTHER, PAGE, ROLE, Problem, Refusal, require
from .troubleshooting import meaning_of
from .wording import OPERATION

SILENCE_SECONDS = 10.0  # GET models asks nobody; a cold start may take as long, but not twice
ANSWER_SECONDS = 240.0  # longer than the proxy waits for Azure, so that its own error arrives
PAUSE_SECONDS = 15.0  # before a check is repeated
SKEW_SECONDS = 300  # with more, Azure refuses tokens
COLD_SECONDS = 2.0  # a first answer that is so much slower than the second waited for an instance
AT_ONCE_SECONDS = 0.05  # from first to last event of a stream that something collected
ENOUGH_EVENTS = 20  # with text; fewer may come at once though nothing collects them
LIMITS = ("x-ratelimit-remaining-requests", "x-ratelimit-remaining-tokens")

BROKEN = "502 `upstream_stream_broken`"
SILENCE, IDENTITY = "no answer within 10 seconds", "502 `identity_unavailable`"
NOT_FOUND, OLD = "404 `not_found`", "404 `not_found` from `responses`"
BREAKS = (  # how a call can end without a whole answer, and its row in the table
    ((httpx.ConnectError, httpx.ConnectTimeout), CONNECTION),
    (httpx.TimeoutException, "504 `upstream_timeout`"),
    (httpx.HTTPError, BROKEN),
)
OF_ONE_ANSWER = (BROKEN, "502 `upstream_web_page`")  # the next may be whole
PASSING = (ROLE, IDENTITY, NO_DEPLOYMENT, SILENCE, PAGE, BY_STATUS[404], BY_STATUS[500])  # after a deployment


class Doctor:
    """`calls` says whether to ask Azure, which costs a few tokens. `model` is the model to ask, and `embeddings` a
    model to ask for a vector. For `wait` minutes, checks are repeated that may succeed some time after a deployment."""

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        calls: bool = True,
        model: str = "",
        embeddings: str = "",
        wait: float = 0.0,
    ) -> None:
        self.headers, path = admission(key)
        address, self.key, self.model, self.embeddings = Address(base_url, path), key, model, embeddings
        self.base_url, self.tls = address.base_url, address.tls
        self.needed = [address.address, address.dns, address.connection, self.health]  # all later checks need these
        self.free = [*self.needed, self.clock, self.start]
        self.asked = [self.chat, self.stream, self.responses] if calls else []
        self.asked += [self.vectors] if calls and embeddings else []
        self.calls, self.chained = calls, list[str]()  # deployments of models with spillover
        self.deadline = time.monotonic() + 60 * wait
        self.date = ""
        self.seconds = 0.0  # of the first answer
        self.chats = False

    def before(self) -> Iterator[Check]:
        """The checks before the first call."""
        return self.examine([step for step in self.needed if step != self.health])

    def examine(self, only: Sequence[Callable[[], Check]] = ()) -> Iterator[Check]:
        """Yields each check as it ends, of all checks or `only` these. Some problems end the examination."""
        timeout = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
        with httpx.Client(headers=self.headers, timeout=timeout, verify=self.tls) as self.client:
            for step in only or itertools.chain(self.free, self.asked):  # `health` may add to `asked`
                problem = yield from self.attempts(step)
                if problem and (step in self.needed or stops(problem.cause)):
                    return

    def attempts(self, step: Callable[[], Check]) -> Generator[Check, None, Problem | None]:
        """Yields the result of a check. While the check is repeated, first yields a note, once."""
        waits, name = False, step.__name__
        while True:
            try:
                yield step()
                return None
            except Problem as found:
                problem = found
            except httpx.HTTPError as error:
                cause = next(row for kinds, row in BREAKS if isinstance(error, kinds))
                problem = Problem(f"no whole answer: {type(error).__name__}: {error}", cause)
            if problem.cause not in PASSING or time.monotonic() >= self.deadline:
                result = "note" if problem.cause in ("", *HARMLESS) else "problem"
                yield Check(
                    name, result, self.hidden(problem.found), meaning_of(problem.cause) if problem.cause else ""
                )
                return problem
            if not waits:
                yield Check(name, "note", f"{self.hidden(problem.found)}; waiting for it to pass")
            waits = True
            time.sleep(PAUSE_SECONDS)
            if step in self.asked:
                self.talk.gone.clear()

    def health(self) -> Check:
        """Asks GET models, which the proxy answers without Azure."""
        started = time.monotonic()
        answer = self.listed()
        self.seconds, self.date = time.monotonic() - started, answer.headers.get("date", "")
        try:
            listed = answer.json()["data"]
            served = [str(entry["id"]) for entry in listed]
            self.chained = [str(name) for entry in listed for name in entry.get("deployments", ())]
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise Problem("an answer that is no list of models", PAGE) from error
        self.talk = Conversation(self.client, self.base_url, [self.model] if self.model else served or [""])
        self.asked += [self.spillover] if self.calls and self.chained else []
        return Check("health", "ok", f"serves {', '.join(served)}")

    def listed(self) -> httpx.Response:
        for _ in range(2):
            try:
                return require(self.client.get(f"{self.base_url}/models", timeout=SILENCE_SECONDS))
            except httpx.ReadTimeout:
                pass
        raise Problem(f"no byte within {SILENCE_SECONDS:g} s, asked twice", SILENCE)

    def clock(self) -> Check:
        try:
            skew = (parsedate_to_datetime(self.date) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return Check("clock", "note", "the answer has no date")
        if abs(skew) > SKEW_SECONDS:
            return Check("clock", "note", f"{abs(skew):.0f} s apart from the proxy's", meaning_of("a clock"))
        return Check("clock", "ok", f"less than {SKEW_SECONDS} s apart from the proxy's")

    def start(self) -> Check:
        """The start time of an instance, if the first call had to wait for one."""
        started = time.monotonic()
        self.listed()
        again = time.monotonic() - started
        found = f"first answer after {self.seconds:.2f} s, second after {again:.2f} s"
        cold = self.seconds > again + COLD_SECONDS
        return Check("start", "note" if cold else "ok", found, meaning_of("a slow first call") if cold else "")

    def chat(self) -> Check:
        heard = self.talk.ask(CHAT)
        self.chats, told = True, heard.answer.header
        return counted("chat", heard, *(f"{name.rsplit('-', 1)[1]} left {told(name)}" for name in LIMITS if told(name)))

    def stream(self) -> Check:
        """Whether the events of a stream arrive as they are written."""
        heard = self.talk.ask(STREAM)
        if heard.seconds < AT_ONCE_SECONDS and heard.spoken < ENOUGH_EVENTS:
            heard = self.longer(heard)
        events = len(heard.events)
        if not events or heard.events[-1] != DONE:
            raise Problem(f"{events} frames and no {DONE}", BROKEN)
        if heard.seconds >= AT_ONCE_SECONDS:
            return counted("stream", heard, f"{events} frames in {heard.seconds:.2f} s")
        if heard.spoken >= ENOUGH_EVENTS:
            raise Problem(f"{events} frames in one moment", "a stream that arrives all at once")
        few = f"{heard.spoken} pieces of text: too few to see whether they arrive one by one"
        return replace(counted("stream", heard, few), result="note")

    def longer(self, heard: Heard) -> Heard:
        """The same stream with a higher limit, if allowed, so that a reasoning model has room to write text."""
        more = self.talk.allowed(heard.asked.limited(MORE))
        if more == heard.asked:
            return heard
        try:
            return replace(self.talk.ask(more, [heard.model]), spent=heard.tokens)
        except Problem:
            return heard

    def responses(self) -> Check:
        try:
            return counted("responses", self.talk.ask(RESPONSES))
        except Problem as problem:
            if problem.cause == NOT_FOUND:
                problem.cause = OLD
            elif self.chats and isinstance(problem, Refusal) and "Resource not found" in problem.text:
                problem.cause = OPERATION  # not every resource has this API
            raise

    def vectors(self) -> Check:
        return counted("vectors", self.talk.ask(VECTORS, [self.embeddings]))

    def spillover(self) -> Check:
        """Asks each deployment of the models with spillover alone, by its own name in Azure's path."""
        heard, failed = dict[str, Heard](), list[Problem]()
        for name in dict.fromkeys(self.chained):
            try:
                heard[name] = self.alone(name)
            except Problem as problem:
                failed.append(Problem(f"{name}: {problem.found}", problem.cause))
        if failed:
            raise Problem("; ".join(problem.found for problem in failed), failed[0].cause)
        return Check("spillover", "ok", f"{', '.join(heard)} answer", tokens=sum(one.tokens for one in heard.values()))

    def alone(self, deployment: str) -> Heard:
        path = f"{self.base_url.removesuffix('/v1')}/openai/deployments/{deployment}"
        talk = Conversation(self.client, path, [deployment])
        talk.most = self.talk.most
        try:
            return talk.ask(CHAT)
        except Refusal as refusal:
            if refusal.cause != OPERATION:
                raise
            return talk.ask(VECTORS)

    def hidden(self, text: str) -> str:
        """The text without the key, which a server may have repeated."""
        return text.replace(self.key, "…")


def admission(key: str) -> tuple[dict[str, str], str]:
    """The header for a key, and the path at the end of its base URL."""
    if key.startswith("sk-"):
        return {"authorization": f"Bearer {key}"}, SIGNED_PATH
    return {"x-functions-key": key}, PATH


def counted(name: str, heard: Heard, *facts: str) -> Check:
    told = ", ".join([heard.model, f"{heard.tokens} tokens", *facts, *heard.doubts])
    return Check(name, "note" if heard.doubts else "ok", told, meaning_of(OTHER) if heard.doubts else "", heard.tokens)


def stops(cause: str) -> bool:
    """Whether the function itself fails, so that no model can answer."""
    return cause == CONNECTION or (cause[:5] in ("502 `", "503 `") and cause not in OF_ONE_ANSWER)
