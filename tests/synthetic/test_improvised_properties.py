"""Every improvised answer is valid by its schema, by the OpenAI SDK's types and by `check`. The same request gets the
same answer, in every process."""

import hashlib
import json
import os
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from emulator.stack import ROOT
from emulator.synthetic.improvising.refusal import SHAPES
from emulator.tape.interaction import Interaction
from tests.synthetic import schemas
from tests.synthetic.examples import MANY
from tests.synthetic.improvised import asked, told, wrong

USUAL = settings(max_examples=100, deadline=None, database=None, suppress_health_check=list(HealthCheck))
LONG = settings(USUAL, max_examples=MANY)
MODELS = st.sampled_from(["gpt-4o-mini", "gpt-5-mini", "o4-mini", "my-deployment"])
NAMES = ["get_temperature", "search", "send_mail"]
TEXT = st.text(max_size=60)


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Any of the fields."""
    return st.fixed_dictionaries({}, optional=fields)


def merged(*parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(*parts).map(lambda drawn: {name: value for part in drawn for name, value in part.items()})


def chat_tool(name: str) -> st.SearchStrategy[Any]:
    return schemas.strict.map(lambda schema: {"type": "function", "function": {"name": name, "parameters": schema}})


def flat_tool(name: str) -> st.SearchStrategy[Any]:
    return schemas.strict.map(lambda schema: {"type": "function", "name": name, "parameters": schema, "strict": False})


def tools(tool: Any, choices: list[Any]) -> st.SearchStrategy[dict[str, Any]]:
    offered = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True).flatmap(
        lambda names: st.tuples(*map(tool, names)).map(list)
    )
    return st.one_of(
        st.just({}),
        st.tuples(
            offered, some(tool_choice=st.sampled_from(["auto", "none", "required"]), parallel_tool_calls=st.booleans())
        ).map(lambda drawn: {"tools": drawn[0], **drawn[1]}),
        offered.map(lambda drawn: {"tools": drawn, "tool_choice": choices[0](drawn[0])}),
    )


CONTENT = st.one_of(
    TEXT,
    TEXT.map(lambda text: [{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": "data:,"}}]),
)
MESSAGES = st.lists(
    st.one_of(
        CONTENT.map(lambda content: {"role": "user", "content": content}),
        TEXT.map(lambda content: {"role": "system", "content": content}),
        TEXT.map(lambda content: {"role": "assistant", "content": content}),
        st.sampled_from(NAMES).map(
            lambda name: {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": name, "arguments": "{}"}}],
            }
        ),
    ),
    min_size=1,
    max_size=4,
)
CHAT = merged(
    st.fixed_dictionaries({"model": MODELS, "messages": MESSAGES}),
    some(
        n=st.integers(1, 3),
        max_completion_tokens=st.integers(1, 400),
        stop=st.sampled_from([" the", ["a", "."], []]),
        seed=st.integers(0, 9),
        logprobs=st.booleans(),
        top_logprobs=st.integers(0, 20),
        stream=st.booleans(),
        stream_options=some(include_usage=st.booleans(), include_obfuscation=st.booleans()),
    ),
    tools(chat_tool, [lambda tool: {"type": "function", "function": {"name": tool["function"]["name"]}}]),
    some(
        response_format=st.one_of(
            st.sampled_from([{"type": "text"}, {"type": "json_object"}]),
            schemas.strict.map(
                lambda schema: {"type": "json_schema", "json_schema": {"name": "it", "schema": schema, "strict": True}}
            ),
        )
    ),
)
ITEMS = st.lists(
    st.one_of(
        TEXT.map(lambda text: {"role": "user", "content": text}),
        TEXT.map(lambda text: {"role": "user", "content": [{"type": "input_text", "text": text}]}),
        st.sampled_from(NAMES).map(
            lambda name: {"type": "function_call", "call_id": "call_1", "name": name, "arguments": "{}"}
        ),
        TEXT.map(lambda text: {"type": "function_call_output", "call_id": "call_1", "output": text}),
    ),
    min_size=1,
    max_size=4,
)
RESPONSES = merged(
    st.fixed_dictionaries({"model": MODELS, "input": st.one_of(TEXT, ITEMS)}),
    some(
        instructions=TEXT,
        max_output_tokens=st.integers(16, 400),
        stream=st.booleans(),
        background=st.booleans(),
        include=st.lists(st.sampled_from(["reasoning.encrypted_content", "message.output_text.logprobs"])),
        top_logprobs=st.integers(0, 20),
        reasoning=some(effort=st.sampled_from(["low", "high"]), summary=st.just("auto")),
        metadata=st.just({"run": "1"}),
        truncation=st.just("auto"),
    ),
    tools(flat_tool, [lambda tool: {"type": "function", "name": tool["name"]}]),
    some(
        text=st.one_of(
            st.sampled_from([{"format": {"type": "text"}}, {"format": {"type": "json_object"}, "verbosity": "low"}]),
            schemas.strict.map(lambda schema: {"format": {"type": "json_schema", "name": "it", "schema": schema}}),
        )
    ),
)


def said(interaction: Interaction) -> tuple[list[str], list[tuple[str, str]], bool]:
    """(the answer's texts, its calls, whether the token limit cut it)"""
    response = interaction.response
    documents = told(response) if response.is_stream else [json.loads(response.body)]
    if "choices" not in documents[0]:
        whole = documents[-1].get("response", documents[-1])
        texts = [part["text"] for item in whole["output"] if item["type"] == "message" for part in item["content"]]
        calls = [(item["name"], item["arguments"]) for item in whole["output"] if item["type"] == "function_call"]
        return texts, calls, whole["status"] != "completed"
    texts, calls = dict[int, str](), dict[tuple[int, int], list[str]]()
    finished = list[Any]()
    for choice in (choice for document in documents for choice in document["choices"]):
        message, index = choice.get("message") or choice["delta"], choice["index"]
        texts[index] = texts.get(index, "") + (message.get("content") or "")
        for at, call in enumerate(message.get("tool_calls") or ()):
            begun = calls.setdefault((index, call.get("index", at)), ["", ""])
            begun[0] += call["function"].get("name", "")
            begun[1] += call["function"]["arguments"]
        finished.append(choice["finish_reason"])
    return [*texts.values()], [(name, told) for name, told in calls.values()], "length" in finished


def schema_of(body: dict[str, Any]) -> Any:
    form = body.get("response_format") or (body.get("text") or {}).get("format") or {}
    return (form.get("json_schema") or form).get("schema")


def holds(operation: str, body: dict[str, Any]) -> None:
    interaction = asked(operation, body)
    assert interaction.response.status == 200, interaction.response.body
    assert wrong([interaction]) == []
    assert asked(operation, dict(reversed(body.items()))).response == interaction.response, "the same, asked again"
    texts, calls, cut = said(interaction)
    offered = {tool.get("name") or tool["function"]["name"]: tool for tool in body.get("tools", ())}
    for name, arguments in calls:
        tool = offered[name].get("function") or offered[name]
        Draft202012Validator(tool["parameters"]).validate(json.loads(arguments))
    choice = body.get("tool_choice", "auto")
    if not cut:
        assert bool(calls) or not offered or choice in ("auto", "none")
    if choice == "none":
        assert not calls
    if not calls and not cut and schema_of(body) and not body.get("stop"):
        for text in texts:
            Draft202012Validator(schema_of(body)).validate(json.loads(text))
    if most := body.get("max_completion_tokens"):
        usage = next((document.get("usage") for document in documents(interaction) if document.get("usage")), None)
        assert not usage or usage["completion_tokens"] <= most * body.get("n", 1)


def documents(interaction: Interaction) -> list[Any]:
    response = interaction.response
    return told(response) if response.is_stream else [json.loads(response.body)]


@USUAL
@given(CHAT)
def test_any_chat_request_gets_a_valid_answer(body: dict[str, Any]) -> None:
    holds("chat/completions", body)


@USUAL
@given(RESPONSES)
def test_any_request_for_a_response_gets_a_valid_answer(body: dict[str, Any]) -> None:
    holds("responses", body)


@pytest.mark.long
@pytest.mark.timeout(3_600)
@LONG
@given(CHAT)
def test_many_chat_requests_get_valid_answers(body: dict[str, Any]) -> None:
    holds("chat/completions", body)


@pytest.mark.long
@pytest.mark.timeout(3_600)
@LONG
@given(RESPONSES)
def test_many_requests_for_responses_get_valid_answers(body: dict[str, Any]) -> None:
    holds("responses", body)


HOSTILE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "name", "function", "schema", "json_schema", "role", "content", "tools", "format", "mode"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
FIELDS = st.sampled_from(sorted(SHAPES.keys() - {"model"}))


@USUAL
@given(
    st.sampled_from(["chat/completions", "responses", "embeddings"]),
    st.fixed_dictionaries({"model": MODELS, "messages": MESSAGES, "input": TEXT}),
    st.dictionaries(FIELDS, HOSTILE, max_size=3),
)
def test_nonsense_is_answered_or_refused(operation: str, body: dict[str, Any], nonsense: dict[str, Any]) -> None:
    interaction = asked(operation, body | nonsense)
    assert interaction.response.status in (200, 400)
    assert interaction.response.status == 200 or json.loads(interaction.response.body)["error"]["message"]


FIXED: list[tuple[str, dict[str, Any]]] = [
    ("chat/completions", {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Grüße!"}]}),
    ("chat/completions", {"model": "gpt-5-mini", "messages": [{"role": "user", "content": "Hello"}], "stream": True}),
    ("responses", {"model": "gpt-5-mini", "input": "Hello", "reasoning": {"summary": "auto"}, "stream": True}),
    ("responses", {"model": "gpt-4o-mini", "input": "Hello", "text": {"format": {"type": "json_object"}}}),
    ("embeddings", {"model": "text-embedding-3-small", "input": ["a harbour", "a storm"]}),
]


def digest() -> str:
    """A digest of the bytes of all answers to FIXED."""
    answers = [asked(operation, body).response for operation, body in FIXED]
    return hashlib.sha256(repr([(answer.headers, answer.body) for answer in answers]).encode()).hexdigest()


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_another_process_answers_with_the_same_bytes(hash_seed: str) -> None:
    code = "from tests.synthetic.test_improvised_properties import digest; print(digest())"
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    printed = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, env=environment, text=True)
    assert printed.strip() == digest()


def test_another_request_gets_another_answer() -> None:
    bodies = [{"model": "gpt-4o-mini", "messages": [{"role": "user", "content": f"Question {n}"}]} for n in range(50)]
    assert len({asked("chat/completions", body).response.body for body in bodies}) == 50
