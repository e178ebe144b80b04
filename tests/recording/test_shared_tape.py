"""`record --share`: 30 people run the same notebook, and each question costs the live service one call."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from emulator.azure.answerer import ORIGIN_HEADER
from emulator.azure.journal import Exchange
from emulator.recording.sharing import ORIGIN, told
from emulator.recording.stack import RecordingStack, Wish
from emulator.server import bind, serving
from emulator.stack import LocalStack
from emulator.synthetic.improvising import Improviser
from emulator.tape import cassette
from tests.e2e.scenarios import client_options
from tests.host.hosts import wait_until
from tests.recording.conftest import Live

STUDENTS = 30
NAME = "lesson/first"
Ask = Callable[[AsyncOpenAI], Awaitable[Any]]


@pytest.fixture
def live() -> Iterator[Live]:
    """A live service that answers anything, and takes a moment for it."""
    with Live.started() as live:
        live.azure.after.append(Improviser())
        live.azure.deployments = frozenset()

        async def takes_a_moment(_: Exchange, piece: int) -> None:
            await asyncio.sleep(0.05 if piece == 0 else 0)

        live.azure.hold = takes_a_moment
        yield live


def stack_of(live: Live, folder: Path, run: Path) -> RecordingStack:
    stack = live.stack(folder, Wish("new_episodes", share=True), run)
    stack.begin(NAME)
    return stack


@contextmanager
def shared(live: Live, folder: Path, tmp_path: Path) -> Iterator[tuple[RecordingStack, dict[str, Any]]]:
    """The sharing Azure without the proxy, and the options of a client."""
    stack = stack_of(live, folder, tmp_path / "run")
    with serving(stack.azure, bind(0)) as base:
        headers = {"api-key": stack.azure.api_key}
        yield stack, {"base_url": f"{base}/openai/v1", "api_key": "x", "default_headers": headers, "max_retries": 0}
        stack.live.close()


def at_once(options: dict[str, Any], *asks: Ask) -> list[Any]:
    """What each caller gets: an answer or an error."""

    async def all_of_them() -> list[Any]:
        async with AsyncOpenAI(**options) as client:
            return await asyncio.gather(*(ask(client) for ask in asks), return_exceptions=True)

    return asyncio.run(all_of_them())


async def chat(client: AsyncOpenAI, question: str = "What is a lighthouse for?", **more: Any) -> Any:
    messages = [{"role": "user", "content": question}]
    return await client.chat.completions.with_raw_response.create(model="gpt-4o-mini", messages=messages, **more)  # type: ignore[arg-type]


async def cell(client: AsyncOpenAI, number: int) -> tuple[str, str | None]:
    """A cell of the notebook, every other one streamed: (text, who made the answer)."""
    question = f"Cell {number}: say something about lighthouses."
    if number % 2:
        raw = await chat(client, question)
        return str(raw.parse().choices[0].message.content), raw.headers.get(ORIGIN_HEADER)
    raw = await chat(client, question, stream=True, stream_options={"include_usage": True})
    chunks = [chunk async for chunk in raw.parse()]
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    return text, raw.headers.get(ORIGIN_HEADER)


async def notebook(client: AsyncOpenAI, cells: int = 2) -> list[tuple[str, str | None]]:
    return [await cell(client, number) for number in range(cells)]


@pytest.mark.parametrize("cells", [2, pytest.param(10, marks=pytest.mark.long)])
def test_a_class_that_runs_a_notebook_at_once_costs_one_person(
    live: Live, folder: Path, tmp_path: Path, cells: int
) -> None:
    async def whole(client: AsyncOpenAI) -> list[tuple[str, str | None]]:
        return await notebook(client, cells)

    stack = stack_of(live, folder, tmp_path / "run")
    with stack:
        notebooks = at_once(client_options(stack.base_url, stack.function_key), *[whole] * STUDENTS)
        assert stack.finish() == cells
        assert stack.sharing is not None
        saved, spent = stack.sharing.saved, stack.recorder.run.spent
        assert (stack.told()["saved"]["requests"], stack.told()["spent"]["requests"]) == (29 * cells, cells)
    assert len(live.azure.journal.exchanges) == cells
    texts = [[text for text, _ in got] for got in notebooks]
    assert len(set(map(tuple, texts))) == 1
    assert all(texts[0])
    assert sum(origin == ORIGIN for got in notebooks for _, origin in got) == (STUDENTS - 1) * cells
    assert saved.tokens == (STUDENTS - 1) * spent.tokens > 0
    assert told(saved, spent).startswith(f"from the tape: {29 * cells} of {30 * cells} calls, ")
    assert "(97%)" in told(saved, spent)


def test_the_next_lesson_needs_no_internet(live: Live, folder: Path, tmp_path: Path) -> None:
    stack = stack_of(live, folder, tmp_path / "run")
    with stack:
        (before,) = at_once(client_options(stack.base_url, stack.function_key), notebook)
        stack.finish()
    with LocalStack([folder]) as offline:
        (after,) = at_once(client_options(offline.base_url, offline.function_key), notebook)
    assert [text for text, _ in after] == [text for text, _ in before]


def test_where_the_first_leaves_the_next_asks_in_its_place(live: Live, folder: Path, tmp_path: Path) -> None:
    asked = threading.Event()

    async def never_answers_the_first(exchange: Exchange, _: int) -> None:
        asked.set()
        if exchange is live.azure.journal.exchanges[0]:
            await asyncio.sleep(60)

    live.azure.hold = never_answers_the_first

    async def leaves(client: AsyncOpenAI) -> None:
        asking = asyncio.create_task(chat(client))
        await asyncio.to_thread(asked.wait, 20)
        await asyncio.sleep(0.1)  # the others wait by now
        asking.cancel()

    async def stays(client: AsyncOpenAI) -> str | None:
        await asyncio.to_thread(asked.wait, 20)
        raw = await chat(client)
        assert raw.parse().choices[0].message.content
        origin: str | None = raw.headers.get(ORIGIN_HEADER)
        return origin

    with shared(live, folder, tmp_path) as (stack, options):
        _, *origins = at_once(options, leaves, stays, stays, stays)
        stack.finish()
    assert sorted(origins, key=str) == ["improvised", ORIGIN, ORIGIN]
    assert len(live.azure.journal.exchanges) == 2
    (kept,) = cassette.load(folder / f"{NAME}.yaml").interactions
    assert kept.response.outcome == "complete"


def test_an_error_is_nobody_elses(live: Live, folder: Path, tmp_path: Path) -> None:
    live.azure.misbehave("content_filter")
    with shared(live, folder, tmp_path) as (stack, options):
        results = at_once(options, chat, chat, chat)
        assert stack.finish() == 0
    assert {type(result) for result in results} == {openai.BadRequestError}
    assert len(live.azure.journal.exchanges) == 3


def test_a_question_with_a_secret_is_never_sent(live: Live, folder: Path, tmp_path: Path) -> None:
    async def private(client: AsyncOpenAI) -> None:
        await chat(client, "Write to ada.lovelace@gmail.com, please.")

    with shared(live, folder, tmp_path) as (_, options):
        results = at_once(options, private, private)
    assert [getattr(result, "code", result) for result in results] == ["not_recorded"] * 2
    assert live.azure.journal.exchanges == []


def test_a_job_in_the_background_is_asked_of_the_live_service_each_time(
    live: Live, folder: Path, tmp_path: Path
) -> None:
    with shared(live, folder, tmp_path) as (stack, options), OpenAI(**options) as client:
        for _ in range(2):
            job = client.responses.create(model="gpt-4o-mini", input="hello", background=True)
            client.responses.retrieve(job.id)
        stack.finish()
    assert [exchange.method for exchange in live.azure.journal.exchanges] == ["POST", "GET"] * 2


def test_what_was_asked_so_far_is_written_while_the_lesson_goes_on(live: Live, folder: Path, tmp_path: Path) -> None:
    with shared(live, folder, tmp_path) as (stack, options):
        for holds, number in enumerate((0, 1), 1):
            at_once(options, lambda client, number=number: cell(client, number))
            wait_until(lambda holds=holds: len(stack.library.interactions()) == holds)
            stack.recorder.save()
            assert len(cassette.load(folder / f"{NAME}.yaml").interactions) == holds
        at_once(options, *(lambda client, number=number: cell(client, number) for number in (0, 1, 2)))
        stack.finish()
    assert len(cassette.load(folder / f"{NAME}.yaml").interactions) == 3
    assert len(live.azure.journal.exchanges) == 3
