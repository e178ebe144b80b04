"""Stubs answer real SDKs, on the session's stack."""

import json
from typing import Any

import httpx
import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from emulator.azure import FakeAzure
from emulator.emulation import Emulator
from emulator.match.library import Library
from emulator.server import bind, serving
from emulator.synthetic.stubs import Stub, StubError, Stubs
from emulator.synthetic.stubs.condition import Condition
from tests.e2e.scenarios.chat import user
from tests.golden import assert_golden

MODEL, REASONING, EMBEDDING = "gpt-4o-mini", "gpt-5-mini", "text-embedding-3-small"
WEATHER = user("How is the weather in Oslo?")
ANSWERED = [{"role": "tool", "tool_call_id": "1", "content": "12"}, {"role": "assistant", "content": "12"}, *WEATHER]
PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
FUNCTIONS: list[dict[str, Any]] = [{"name": name, "parameters": PARAMETERS} for name in ("get_temperature", "get_wind")]
TOOLS: Any = [{"type": "function", "function": function} for function in FUNCTIONS]
RESPONSES_TOOLS: Any = [{"type": "function", "strict": True, **function} for function in FUNCTIONS]


class Weather(BaseModel):
    degrees: int


def chat(client: OpenAI, **more: Any) -> Any:
    return client.chat.completions.create(**{"model": MODEL, "messages": WEATHER} | more)


def words(client: OpenAI, **more: Any) -> Any:
    return chat(client, **more).choices[0].message.content


def respond(client: OpenAI, **more: Any) -> Any:
    return client.responses.create(**{"model": MODEL, "input": "How is the weather in Oslo?"} | more)


# What it answers


def test_the_answer_stands_in_the_test(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    stub = aoai_emulator.on(contains="weather", model=MODEL).answers("It rains.")
    raw = openai_client.chat.completions.with_raw_response.create(model=MODEL, messages=WEATHER, temperature=0.2)
    completion = raw.parse()
    assert completion.choices[0].message.content == "It rains."
    assert completion.choices[0].finish_reason == "stop"
    assert completion.model == "gpt-4o-mini-2024-07-18"
    assert raw.headers["x-emulator-origin"] == "stub"
    assert stub.requests == aoai_emulator.requests
    assert stub.requests[0].json["temperature"] == 0.2
    aoai_emulator.assert_transparent(raw.http_response)


@pytest.mark.anyio
async def test_it_streams_to_an_async_client(async_openai_client: AsyncOpenAI, aoai_emulator: Emulator) -> None:
    aoai_emulator.on(contains="weather").answers("It rains in Oslo, and it will go on raining.")
    stream = await async_openai_client.chat.completions.create(
        model=MODEL, messages=WEATHER, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    said = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(said) == "It rains in Oslo, and it will go on raining."
    assert len(said) > 5
    assert chunks[-1].usage is not None


def test_several_texts_are_the_choices(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    aoai_emulator.on(contains="weather").answers("It rains.", "It snows.")
    aoai_emulator.on(contains="weather").answers("It hails.")
    texts = [choice.message.content for choice in chat(openai_client, n=2).choices]
    assert texts == ["It rains.", "It snows."]
    assert [choice.message.content for choice in chat(openai_client, n=3).choices] == ["It hails."] * 3


def test_json_fits_the_schema_that_was_asked_for(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    aoai_emulator.on(route="chat").answers(json={"degrees": 12})
    aoai_emulator.on(route="responses").answers(json={"degrees": -3})
    parsed = openai_client.chat.completions.parse(model=MODEL, messages=WEATHER, response_format=Weather)
    assert parsed.choices[0].message.parsed == Weather(degrees=12)
    told = openai_client.responses.parse(model=MODEL, input="How is the weather?", text_format=Weather)
    assert told.output_parsed == Weather(degrees=-3)


def test_an_answer_can_be_cut(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    aoai_emulator.on(route="chat").answers("It", cut=True)
    aoai_emulator.on(route="responses").answers("It", cut=True)
    assert chat(openai_client).choices[0].finish_reason == "length"
    assert respond(openai_client).incomplete_details.reason == "max_output_tokens"


def test_an_agent_calls_and_then_answers(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    """Both requests contain the text. A stub answers once, so the second stub answers the second request."""
    asked = aoai_emulator.on(contains="weather").calls("get_temperature", city="Oslo").calls("get_wind", city="Oslo")
    told = aoai_emulator.on(tool_result="12").answers("It has 12 degrees.")
    choice = chat(openai_client, tools=TOOLS).choices[0]
    assert choice.finish_reason == "tool_calls"
    assert [(call.function.name, json.loads(call.function.arguments)) for call in choice.message.tool_calls] == [
        ("get_temperature", {"city": "Oslo"}),
        ("get_wind", {"city": "Oslo"}),
    ]
    called = {"role": "assistant", "tool_calls": [call.to_dict() for call in choice.message.tool_calls]}
    results = [{"role": "tool", "tool_call_id": call.id, "content": "12"} for call in choice.message.tool_calls]
    assert words(openai_client, messages=[*WEATHER, called, *results], tools=TOOLS) == "It has 12 degrees."
    assert (len(asked.requests), len(told.requests)) == (1, 1)


def test_an_agent_of_responses_streams_its_calls(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    aoai_emulator.on(route="responses").calls("get_temperature", city="Oslo").calls("get_wind", city="Oslo")
    aoai_emulator.on(tool_result=True).thinks(64, "Looked outside.").answers("12 degrees.")
    with openai_client.responses.stream(model=MODEL, input="Weather?", tools=RESPONSES_TOOLS) as stream:
        answer = stream.get_final_response()
    calls = [item for item in answer.output if item.type == "function_call"]
    assert [(call.name, call.arguments) for call in calls] == [
        ("get_temperature", '{"city":"Oslo"}'),
        ("get_wind", '{"city":"Oslo"}'),
    ]
    results = [{"type": "function_call_output", "call_id": call.call_id, "output": "12"} for call in calls]
    last = respond(openai_client, model=REASONING, input=results, previous_response_id=answer.id)
    assert last.output_text == "12 degrees."
    assert last.output[0].summary[0].text == "Looked outside."
    assert last.usage.output_tokens_details.reasoning_tokens == 64


def test_functions_of_the_older_form_are_called(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    aoai_emulator.on().calls("get_wind", {"city": "Oslo", "in-knots": True})
    answer = openai_client.chat.completions.create(model=MODEL, messages=WEATHER, functions=FUNCTIONS)  # type: ignore[call-overload]
    assert "get_wind" in str(answer.choices[0].message)


def test_vectors_are_made_or_given(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    aoai_emulator.on(contains="cat", times=2).embeds()
    aoai_emulator.on(contains="dog").embeds([0.5, -2])
    aoai_emulator.on(route="embeddings").embeds([1, 0], [0, 1])

    def vectors(*texts: str, **more: Any) -> list[list[float]]:
        given = openai_client.embeddings.create(model=EMBEDDING, input=list(texts), **more)
        return [item.embedding for item in given.data]

    made = vectors("a cat", "a cat")
    assert made[0] == made[1]
    assert sum(number * number for number in made[0]) == pytest.approx(1)
    assert len(vectors("a cat", dimensions=256)[0]) == 256
    assert vectors("a dog", "a dog") == [[0.5, -2.0]] * 2
    assert vectors("one", "two", encoding_format="float") == [[1.0, 0.0], [0.0, 1.0]]


def test_dspy_gets_its_field(dspy_lm: Any, aoai_emulator: Emulator) -> None:
    dspy = pytest.importorskip("dspy")
    stub = aoai_emulator.on(contains="capital of Norway").answers("[[ ## answer ## ]]\nOslo\n\n[[ ## completed ## ]]")
    assert dspy.Predict("question -> answer")(question="What is the capital of Norway?").answer == "Oslo"
    assert stub.requests[0].json["messages"][0]["role"] == "system"


def test_the_same_request_and_stub_give_the_same_bytes(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    aoai_emulator.on(contains="weather", times=2).answers("It rains.")
    aoai_emulator.on(contains="weather").answers("It snows.")
    ids = [[chunk.id for chunk in chat(openai_client, stream=True)][-1] for _ in range(3)]
    one, two, _ = aoai_emulator.requests
    assert (one.sent, one.sent_headers) == (two.sent, two.sent_headers)
    assert ids[1] != ids[2], "another answer has another id"


# How it fails


def test_it_fails_as_azure_does(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    aoai_emulator.on(contains="boom").fails("rate_limited; times=2")
    aoai_emulator.on(contains="boom").answers("All is well.")
    for _ in range(2):
        with pytest.raises(openai.RateLimitError) as limited:
            chat(openai_client, messages=user("boom"))
    assert "exceeded" in str(limited.value)
    assert limited.value.response.headers["retry-after"]
    assert words(openai_client, messages=user("boom")) == "All is well."
    assert aoai_emulator.requests[0].fault == "rate_limited; times=2"


def test_an_error_has_the_bytes_of_a_fault_of_the_whole_test(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    answers = []
    for declare in (lambda wish: aoai_emulator.on().fails(wish), aoai_emulator.fault):
        for wish in ("rate_limited; retry=ms", "deployment_not_found"):
            declare(wish)
            with pytest.raises(openai.APIStatusError) as failed:
                chat(openai_client)
            headers = {**failed.value.response.headers, "x-emulator-origin": "", "date": "", "server-timing": ""}
            answers.append((failed.value.status_code, headers, failed.value.response.content))
            aoai_emulator.azure.fault = None
    assert answers[:2] == answers[2:]


def test_it_fails_first_and_then_answers(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    aoai_emulator.on(contains="weather").answers("It rains.").fails("rate_limited; times=2")
    for _ in range(2):
        with pytest.raises(openai.RateLimitError):
            chat(openai_client)
    assert words(openai_client) == "It rains."


def test_a_stream_breaks_where_the_stub_says(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    aoai_emulator.on(contains="weather").answers("It rains, and it rains.").fails("reset; at_frame=4")
    stream, received = chat(openai_client, stream=True), list[str]()
    with pytest.raises(openai.APIError, match="broke off the stream"):
        received.extend(choice.delta.content or "" for chunk in stream for choice in chunk.choices)
    assert "".join(received) == "It rains"
    assert len(aoai_emulator.requests[0].sent) == 4


def test_a_broken_answer_promises_the_length_that_it_would_have(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    aoai_emulator.on(route="embeddings").embeds([1.0, 0.0]).fails("close; at_byte=10")
    with pytest.raises(openai.APIError):
        openai_client.embeddings.create(model=EMBEDDING, input="a cat")
    (exchange,) = aoai_emulator.requests
    assert len(b"".join(exchange.sent)) == 10
    assert 100 < int(dict(exchange.sent_headers)["content-length"]) < 500


@pytest.mark.parametrize("wish", ["reset", "wrong_content_type"])
def test_a_fault_that_needs_no_answer_happens_without_one(
    wish: str, openai_client: OpenAI, aoai_emulator: Emulator
) -> None:
    aoai_emulator.on(contains="weather").fails(wish)
    with pytest.raises(openai.APIStatusError):
        chat(openai_client)
    assert aoai_emulator.requests[0].fault == wish


# What it waits for

MATCHES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"contains": "weather"}, {}),
    ({"contains": "in a part"}, {"messages": user([{"type": "text", "text": "in a part"}])}),
    ({"route": "chat", "model": MODEL}, {}),
    ({"path": {"messages[0].role": "user", "temperature": 0.5}}, {"temperature": 0.5}),
    ({"path": {"messages[-1].content": "last"}}, {"messages": user("last")}),
    ({"path": {"tools[*].function.name": "get_wind"}}, {"tools": TOOLS}),
    ({"where": lambda request: "seed" in request.json}, {"seed": 1}),
    ({"where": lambda request: request.header("user-agent").startswith("OpenAI")}, {}),
]


@pytest.mark.parametrize(("conditions", "request_of"), MATCHES)
def test_what_a_stub_waits_for_reaches_it(
    conditions: dict[str, Any], request_of: dict[str, Any], openai_client: OpenAI, aoai_emulator: Emulator
) -> None:
    aoai_emulator.on(**conditions).answers("Yes.")
    assert words(openai_client, **request_of) == "Yes."


OTHERS: list[tuple[str, dict[str, Any], tuple[tuple[str, tuple[Any, ...]], ...]]] = [
    ("another text", {"contains": "snow"}, ()),
    ("another model", {"model": REASONING}, ()),
    ("another route", {"route": "responses"}, ()),
    ("no tool has answered", {"tool_result": "12"}, ()),
    ("tools answered before the model spoke", {"tool_result": True}, ()),
    ("another value", {"path": {"messages[0].role": "system"}}, ()),
    ("no such place", {"path": {"messages[1].role": "system"}}, ()),
    ("another type", {"path": {"temperature": True}}, ()),
    ("a predicate", {"where": lambda request: request.json["n"] == 2}, ()),
    ("several", {"contains": "snow", "model": REASONING}, ()),
    ("another number of choices", {}, (("answers", ("A", "B")),)),
    ("a function that is not offered", {}, (("calls", ("get_rain",)),)),
    ("vectors", {}, (("embeds", ()),)),
    ("no answer yet", {}, (("thinks", (64,)),)),
]


@pytest.mark.aoai_allow_unmatched
def test_a_miss_names_the_nearest_stub_and_why_it_did_not_answer(
    openai_client: OpenAI, aoai_emulator: Emulator
) -> None:
    told = []
    for name, conditions, verbs in OTHERS:
        aoai_emulator.stubs.declared.clear()
        stub = aoai_emulator.on(**conditions, optional=True)
        for verb, given in verbs or (("answers", ("It rains.",)),):
            getattr(stub, verb)(*given)
        if name == "several":
            aoai_emulator.on(contains="weather", optional=True).answers("Once.")
            assert words(openai_client) == "Once."
        with pytest.raises(openai.APIStatusError) as missed:
            chat(openai_client, temperature=1, messages=ANSWERED if "before" in name else WEATHER)
        assert missed.value.status_code == 424
        assert missed.value.body["code"] == "no_recorded_interaction"  # type: ignore[index]
        told.append(f"{name}:\n  {missed.value.body['message'].splitlines()[-1]}\n")  # type: ignore[index]
    assert_golden("stubs/misses.txt", "".join(told))


def test_a_model_is_matched_by_both_of_its_names_on_any_route() -> None:
    azure, stubs = FakeAzure(Library()), Stubs({"my-4o": "gpt-4o"})
    stubs.declared += [Stub(Condition(model=name)).answers("Yes.") for name in ("gpt-4o", "my-4o")]
    with serving(azure, bind(0)) as base, stubs.answering(azure):
        for path in ("deployments/my-4o/chat/completions?api-version=2024-10-21", "v1/chat/completions"):
            body = {"messages": WEATHER} | ({"model": "my-4o"} if path.startswith("v1") else {})
            answer = httpx.post(f"{base}/openai/{path}", json=body, headers={"api-key": azure.api_key})
            assert answer.json()["choices"][0]["message"]["content"] == "Yes."
    assert (azure.before, azure.remarks) == ([], [])


STRANGE: list[Any] = [
    [],
    1,
    {"messages": 1},
    {"messages": [1, None, [], {"role": 1, "content": {}}, {"content": [1, {"text": 2}]}]},
    {"messages": WEATHER, "n": "3", "tools": 5, "stream_options": []},
    {"messages": WEATHER, "stream": True, "stream_options": [1]},
    {"messages": WEATHER, "tools": [1, {"function": 2}, {"function": {"name": []}}], "tool_choice": []},
    {"messages": WEATHER, "n": -1, "top_logprobs": "x", "logprobs": True},
    {"input": [None, {"type": []}, {"type": "x_output", "output": 5}], "tools": {}, "reasoning": 5, "text": 1},
    {"input": {"a": 1}, "include": 3, "metadata": 4},
    {"input": 5, "dimensions": "x"},
    {"input": [[]], "dimensions": -1},
]


def test_a_strange_request_gets_an_answer() -> None:
    """A strange request gets 200 or 424, and never a broken connection."""
    azure, stubs = FakeAzure(Library()), Stubs()
    conditions = [Condition(contains="weather"), Condition(tool_result=True), Condition(path={"tools[*].x": 1})]
    for condition in (*conditions, Condition()):
        stubs.declared.append(Stub(condition, times=None).answers("Yes."))
        stubs.declared.append(Stub(condition, times=None).calls("f"))
    stubs.declared.append(Stub(Condition(), times=None).embeds([1.0]))
    with serving(azure, bind(0)) as base, stubs.answering(azure), httpx.Client(base_url=base) as client:
        for route in ("chat/completions", "responses", "embeddings"):
            for body in STRANGE:
                headers = {"api-key": azure.api_key}
                answer = client.post(f"/openai/v1/{route}", json=body, headers=headers)
                assert answer.status_code in (200, 424), (route, body)
                assert "stub" in (answer.headers.get("x-emulator-origin") or answer.text), (route, body)


def test_recordings_answer_what_no_stub_does(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    aoai_emulator.on(contains="weather").answers("It rains.")
    assert words(openai_client) == "It rains."
    assert words(openai_client, messages=user("What is the capital of France?")).startswith("The capital")
    assert [exchange.origin for exchange in aoai_emulator.requests] == ["stub", None]


def test_a_stub_comes_before_a_recording(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    aoai_emulator.on(contains="capital of France", times=None).answers("Lyon.")
    for _ in range(3):
        assert words(openai_client, messages=user("What is the capital of France?")) == "Lyon."


# At the end of the test


def test_an_unused_stub_is_told_with_what_was_asked_instead(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    assert aoai_emulator.stubs.unused([]) == ""
    aoai_emulator.on(contains="snow").answers("It snows.")
    aoai_emulator.on(contains="weather", times=3).calls("get_wind", {"in-city": "Oslo"}).fails("rate_limited; times=1")
    aoai_emulator.on(contains="weather", times=None, optional=True).answers("Perhaps.")
    aoai_emulator.on(path={"seed": 7}, times=None).answers(json={"degrees": 12})
    nothing = aoai_emulator.stubs.unused([])
    with pytest.raises(openai.RateLimitError):
        chat(openai_client, tools=TOOLS)
    chat(openai_client, messages=user("What is the capital of France?"))
    for _ in range(2):
        chat(openai_client)
    told = aoai_emulator.stubs.unused(aoai_emulator.requests)
    assert_golden("stubs/unused.txt", f"{nothing}\n\n{told}\n")
    aoai_emulator.stubs.declared.clear()


def test_stubs_end_with_their_test(aoai_emulator: Emulator) -> None:
    assert aoai_emulator.azure.before == [aoai_emulator.stubs]
    assert aoai_emulator.stubs.declared == []


# Bad ones

BAD: dict[str, Any] = {
    "an unknown route": lambda on: on(route="completions"),
    "an empty text": lambda on: on(contains=""),
    "no text": lambda on: on(contains=["a", "b"]),
    "a model that is not served": lambda on: on(model="gpt-6"),
    "a tool result for embeddings": lambda on: on(route="embeddings", tool_result="12"),
    "a path that is none": lambda on: on(path={"messages[first]": 1}),
    "a path without values": lambda on: on(path="messages[0].role"),
    "a value that is no JSON": lambda on: on(path={"seed": {1, 2}}),
    "a predicate that is none": lambda on: on(where=True),
    "never": lambda on: on(times=0),
    "two answers": lambda on: on().answers("A").answers("B"),
    "no text to answer": lambda on: on().answers(),
    "a text that is none": lambda on: on().answers({"degrees": 12}),
    "text and JSON": lambda on: on().answers("A", json=1),
    "what is no JSON": lambda on: on().answers(json={1, 2}),
    "a call without a name": lambda on: on().calls(""),
    "arguments that are no JSON": lambda on: on().calls("f", x=object),
    "arguments without names": lambda on: on().calls("f", "Oslo"),
    "text for embeddings": lambda on: on(route="embeddings").answers("A"),
    "choices for responses": lambda on: on(route="responses").answers("A", "B"),
    "vectors for chat": lambda on: on(route="chat").embeds(),
    "vectors and text": lambda on: on().answers("A").embeds(),
    "a vector that is none": lambda on: on().embeds(0.5, 0.6),
    "a number that is too large": lambda on: on().embeds([1e300]),
    "an unknown fault": lambda on: on().fails("rate_limited; times=often"),
    "a fault that never happens": lambda on: on().fails("rate_limited; times=0"),
    "a fault of the identity endpoint": lambda on: on().fails("identity_slow"),
    "a fault without an answer": lambda on: on().fails("reset; at_frame=3"),
    "two numbers of times": lambda on: on(times=3).fails("rate_limited; times=2"),
    "thinking that is no number": lambda on: on().thinks("hard"),
}


def test_a_bad_stub_is_told_where_it_is_declared(aoai_emulator: Emulator) -> None:
    told = []
    for name, declare in BAD.items():
        with pytest.raises(StubError) as bad:
            declare(aoai_emulator.on)
        told.append(f"{name}:\n  {bad.value}\n")
    aoai_emulator.stubs.declared.clear()
    assert_golden("stubs/bad.txt", "".join(told).replace(str(object), "object"))
