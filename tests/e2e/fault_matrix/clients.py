"""The clients of the matrix: each asks for one answer, plain or streamed, and says what its user sees."""

import asyncio
import importlib.util
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import openai
from openai import AsyncOpenAI, OpenAI

from emulator.stack import CASSETTES, ROOT
from emulator.tape import cassette
from emulator.tape.interaction import Interaction
from tests.e2e.scenarios import chat, client_options, responses

WHOLE = "whole"
FILTERED = "content_filter"  # the API's own word for why an answer ended
OTHER = "another answer"  # than the recorded one, and no error: no cell may expect this
RETRIES = 1  # of the clients whose delay between two tries can be made short; the others do not retry here

NODE_MODULES = Path(os.environ.get("OPENAI_NODE_MODULES", ROOT / ".node/node_modules"))
QUESTION = "The capital of France is Paris."
STORY = "Every night the old lighthouse counted the ships. One evening it counted one more, and smiled."
SKY = "Air scatters blue light more than red, so blue reaches us from every side."


@dataclass(frozen=True)
class Call:
    """One cell's call: where, and how many seconds the client waits for a byte."""

    base_url: str
    key: str
    stream: bool
    timeout: float


def seen(ask: Callable[[], str], expected: str) -> str:
    """What a Python client's user sees: the class of the exception, or what the answer is."""
    try:
        return judged(ask(), expected)
    except Exception as error:
        return type(error).__name__


def judged(answer: str, expected: str) -> str:
    return WHOLE if answer == expected else FILTERED if FILTERED in answer else OTHER


# --- the OpenAI SDK ---------------------------------------------------------------------------------------------------


def options(call: Call) -> dict[str, Any]:
    return client_options(call.base_url, call.key, RETRIES) | {"timeout": call.timeout}


def said(event: Any) -> str:
    """What a chunk of chat, or an event of Responses, says."""
    if not hasattr(event, "choices"):
        words = {"response.output_text.delta": lambda: event.delta, "response.incomplete": lambda: f"({FILTERED})"}
        return str(words.get(event.type, str)())
    ended = any(choice.finish_reason == FILTERED for choice in event.choices)
    return f"({FILTERED})" if ended else "".join(choice.delta.content or "" for choice in event.choices)


def openai_chat(call: Call) -> str:
    def ask() -> str:
        with OpenAI(**options(call)) as client:
            if call.stream:
                return "".join(map(said, chat.story(client)))
            return str(chat.question(client).choices[0].message.content)

    return seen(ask, STORY if call.stream else QUESTION)


def openai_async(call: Call) -> str:
    async def ask() -> str:
        async with AsyncOpenAI(**options(call)) as client:
            asked: Any = client
            if call.stream:
                return "".join([said(chunk) async for chunk in await chat.story(asked)])
            return str((await chat.question(asked)).choices[0].message.content)

    return seen(lambda: asyncio.run(ask()), STORY if call.stream else QUESTION)


def openai_responses(call: Call) -> str:
    def ask() -> str:
        with OpenAI(**options(call)) as client:
            if call.stream:
                return "".join(map(said, responses.sky_streamed(client)))
            return str(responses.sky(client).output_text)

    return seen(ask, SKY)


# --- DSPy -------------------------------------------------------------------------------------------------------------


def dspy_on(engine: str) -> Callable[[Call], str]:
    def client(call: Call) -> str:
        import dspy

        from tests.e2e.scenarios import dspy_programs

        def ask() -> str:
            make = getattr(dspy_programs, f"{engine}_lm")
            with dspy.context(lm=make(call.base_url, call.key, timeout=call.timeout)):
                if not call.stream:
                    return str(dspy_programs.predict().answer)
                chunks, prediction = asyncio.run(dspy_programs.streamed())
                assert "".join(chunks).strip() == prediction.answer
                return str(prediction.answer)

        return seen(ask, "They warn ships of rocks, all night long." if call.stream else "Oslo")

    return client


# --- programs of their own --------------------------------------------------------------------------------------------


@cache
def recorded(stream: bool) -> Interaction:
    return cassette.load(CASSETTES / ("chat/stream.yaml" if stream else "chat/question.yaml")).interactions[0]


def curl(call: Call) -> str:
    """`curl --fail-with-body`; what it calls a time-out is one of the whole transfer."""
    sent = recorded(call.stream)
    command = ["curl", "-sS", "--no-buffer", "--fail-with-body", "--max-time", str(call.timeout), "--json", "@-"]
    command += ["-H", f"x-functions-key: {call.key}", f"{call.base_url}/chat/completions"]
    done = subprocess.run(command, input=sent.request.body, capture_output=True, timeout=call.timeout + 5)
    whole = not done.returncode and done.stdout == sent.response.body
    return WHOLE if whole else f"exit {done.returncode}"


@cache
def node() -> "subprocess.Popen[str]":
    """One process for all calls; it ends when its standard input does."""
    return subprocess.Popen(
        ["node", str(Path(__file__).with_name("ask.cjs")), str(NODE_MODULES / "openai")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def openai_npm(call: Call) -> str:
    process = node()
    assert process.stdin
    assert process.stdout
    body = json.loads(recorded(call.stream).request.body)
    process.stdin.write(json.dumps(vars(call) | {"body": body, "retries": RETRIES}) + "\n")
    process.stdin.flush()
    answer = json.loads(process.stdout.readline())
    if "error" in answer:
        return str(answer["error"])
    return judged(answer["text"], STORY if call.stream else QUESTION)


def stop_node() -> None:
    if node.cache_info().currsize:
        node().communicate(timeout=5)
        node.cache_clear()


# --- which of them are here -------------------------------------------------------------------------------------------

OPENAI = f"openai {openai.__version__.split('.')[0]}"
CLIENTS: dict[str, tuple[str, Callable[[Call], str]]] = {  # client: (column of the matrix, function)
    "openai_chat": (OPENAI, openai_chat),
    "openai_async": (OPENAI, openai_async),
    "openai_responses": (OPENAI, openai_responses),
    "dspy_litellm": ("DSPy on LiteLLM", dspy_on("litellm")),
    "dspy_native": ("DSPy's own", dspy_on("native")),
    "openai_npm": ("openai npm", openai_npm),
    "curl": ("curl", curl),
}


def absent(client: str) -> str | None:
    """Why a client cannot be asked on this machine."""
    if client.startswith("dspy") and not importlib.util.find_spec("dspy"):
        return "dspy is not installed"
    if client == "curl" and not shutil.which("curl"):
        return "curl is not installed"
    if client == "openai_npm" and not (shutil.which("node") and (NODE_MODULES / "openai").is_dir()):
        return f"no node, or no {NODE_MODULES / 'openai'}; tests/README.md says how to get it"
    return None
