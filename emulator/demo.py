"""Real clients through the real proxy to the fake Azure, step by step."""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .bundle import COMMAND
from .server import LOOPBACK
from .stack import LocalStack
from .usage import how_to_call

MODEL = "gpt-4o-mini"
Pieces = Iterator[str]


def nothing_beside(_: LocalStack) -> contextlib.AbstractContextManager[Mapping[str, str]]:
    return contextlib.nullcontext({})


@dataclass(frozen=True)
class Step:
    """`play(base_url, function_key)` makes one call and yields its text in the pieces that arrive."""

    client: str
    call: str
    play: Callable[[str, str], Pieces]


@contextlib.contextmanager
def sdk(base_url: str, function_key: str) -> Iterator[Any]:
    from openai import OpenAI

    headers = {"x-functions-key": function_key}
    with OpenAI(base_url=base_url, api_key="unused", default_headers=headers, max_retries=0) as client:
        yield client


def chat(base_url: str, function_key: str) -> Pieces:
    with sdk(base_url, function_key) as client:
        messages = [{"role": "user", "content": "What is a proxy, in one sentence?"}]
        yield client.chat.completions.create(model=MODEL, messages=messages).choices[0].message.content


def streamed_chat(base_url: str, function_key: str) -> Pieces:
    with sdk(base_url, function_key) as client:
        messages = [{"role": "user", "content": "Count the stops of a night train, one line each."}]
        for chunk in client.chat.completions.create(model=MODEL, messages=messages, stream=True):
            yield from (choice.delta.content or "" for choice in chunk.choices if choice.delta)


def response(base_url: str, function_key: str) -> Pieces:
    with sdk(base_url, function_key) as client:
        yield client.responses.create(model=MODEL, input="What does a cassette keep?").output_text


def streamed_response(base_url: str, function_key: str) -> Pieces:
    with sdk(base_url, function_key) as client:
        for event in client.responses.create(model=MODEL, input="Why does streaming feel fast?", stream=True):
            if event.type == "response.output_text.delta":
                yield event.delta


def dspy_predict(base_url: str, function_key: str) -> Pieces:
    import dspy

    headers = {"x-functions-key": function_key}
    lm = dspy.LM(f"openai/{MODEL}", api_base=base_url, api_key="unused", headers=headers, cache=False, num_retries=0)
    with dspy.context(lm=lm):
        yield dspy.Predict("question -> answer")(question="Which planet has the most moons?").answer


STEPS = (
    Step("OpenAI SDK, chat", "POST /api/v1/chat/completions", chat),
    Step("OpenAI SDK, streamed chat", "POST /api/v1/chat/completions, stream=True", streamed_chat),
    Step("OpenAI SDK, Responses", "POST /api/v1/responses", response),
    Step("OpenAI SDK, streamed Responses", "POST /api/v1/responses, stream=True", streamed_response),
    Step('DSPy, Predict("question -> answer")', "POST /api/v1/chat/completions", dspy_predict),
)


def run(
    once: bool,
    host: str = LOOPBACK,
    beside: Callable[[LocalStack], contextlib.AbstractContextManager[Mapping[str, str]]] = nothing_beside,
) -> int:
    """Show every step, and then wait for Ctrl-C unless `once`. `beside` lasts as long as the stack, and gives the
    address of a page to watch it, if there is one. Returns 0, or 1 when a step failed."""
    say("Starting the fake Azure and the proxy on free ports of this machine …")
    with LocalStack(host=host, time_scale=1.0) as stack, beside(stack) as told:
        say(f"  client ──▶ proxy {stack.base_url} ──▶ fake Azure {stack.azure_base}")
        say("  The answers are recordings; everything between is real: SDK, HTTP, function, token.\n")
        if page := told.get("page"):
            say(f"  Watch it: {page}\n")
        if missing := load_clients():
            say(missing)
            return 1
        worked = [show(number, step, stack) for number, step in enumerate(STEPS, 1)]
        say(f"Call it yourself:\n\n{how_to_call(stack)}\n")
        if once:
            say(f"This was one round; `{COMMAND} serve` keeps the stack running until Ctrl-C.")
        else:
            with contextlib.suppress(KeyboardInterrupt):
                say("It keeps running. Ctrl-C stops it.")
                threading.Event().wait()
            say("\nStopped.")
    return 0 if all(worked) else 1


def load_clients() -> str | None:
    """Imports DSPy, which takes seconds, so the demo says so and leaves it out of the times shown. Returns one line
    when a client is missing."""
    say("Loading the OpenAI SDK and DSPy …", end=" ")
    started = time.monotonic()
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # else litellm asks for prices on the internet
    try:
        import dspy
        import litellm  # noqa: F401  (DSPy would load it in its first call)
        import openai  # noqa: F401
    except ImportError as missing:
        return f"\n{missing}. The demo needs both clients: pip install -r requirements-dev.txt"
    dspy.disable_logging()
    say(f"{time.monotonic() - started:.1f} s\n")
    return None


def show(number: int, step: Step, stack: LocalStack) -> bool:
    """Print the step as it happens. Returns whether it worked."""
    say(f"{number}. {step.client}\n   {step.call}")
    say("   > ", end="")
    started, times = time.monotonic(), list[float]()
    try:
        for piece in step.play(stack.base_url, stack.function_key):
            if piece:
                times.append(time.monotonic() - started)
                say(str(piece).replace("\n", "\n     "), end="")
    except Exception as error:  # a demo that breaks should say where, not how Python works
        reason = next(iter(str(error).splitlines()), "it says no more")
        say(f"\n   failed: {type(error).__name__}: {reason}\n")
        return False
    if not times:
        say("(an answer without text)\n")
    elif len(times) > 1:
        say(f"\n   first token after {times[0]:.2f} s, {len(times)} pieces in {times[-1]:.2f} s\n")
    else:
        say(f"\n   answer after {times[0]:.2f} s\n")
    return True


def say(text: str, end: str = "\n") -> None:
    print(text, end=end, flush=True)
