"""A stub answers the requests that meet its conditions. A miss says why a stub did not answer."""

from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI

from emulator.azure import FakeAzure
from emulator.emulation import Emulator
from emulator.match.library import Library
from emulator.server import bind, serving
from emulator.synthetic.stubs import Stub, Stubs
from emulator.synthetic.stubs.condition import Condition
from emulator.tape.interaction import Interaction, Request, Response
from tests.e2e.scenarios.chat import user
from tests.golden import assert_golden
from tests.synthetic.stubbed import ANSWERED, MODEL, REASONING, TOOLS, WEATHER, chat, words

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
    """A strange request gets a stub's answer or Azure's 400, and never a broken connection."""
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
                told = answer.status_code, answer.headers["x-emulator-origin"]
                assert told in ((200, "stub"), (400, "refused")), (route, body)


def test_azure_refuses_where_a_stub_would_answer(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    aoai_emulator.on(contains="weather", times=None, optional=True).answers("It rains.")
    for wrong, says in (({"temperature": "hot"}, "'temperature'"), ({"messages": []}, "'messages'")):
        with pytest.raises(openai.BadRequestError, match=says) as refused:
            chat(openai_client, **wrong)
        assert refused.value.response.headers["x-emulator-origin"] == "refused"
    assert aoai_emulator.unmatched == []
    assert words(openai_client) == "It rains."


def test_a_recording_answers_what_azure_would_refuse_and_a_failure_comes_whatever_is_asked() -> None:
    body, kept = b'{"model": "gpt-4o", "messages": "none"}', b'{"kept": true}'
    uri = "https://x.openai.azure.com/openai/v1/chat/completions"
    recorded = Interaction(Request("POST", uri, (), body), Response(200, "OK", (), kept))
    azure, stubs = FakeAzure(Library([recorded])), Stubs()
    answers = []
    with serving(azure, bind(0)) as base, stubs.answering(azure):
        for stub in (None, Stub(Condition()).answers("Yes."), Stub(Condition()).fails("server_error")):
            stubs.declared[:] = [stub] if stub else []
            for sent in (body, body.replace(b"none", b"other")):
                headers = {"api-key": azure.api_key}
                answers.append(httpx.post(f"{base}/openai/v1/chat/completions", content=sent, headers=headers))
    assert [answer.status_code for answer in answers] == [200, 424, 200, 400, 500, 400]
    assert answers[2].content == kept
    assert (azure.before, azure.after, azure.remarks) == ([], [], [])


def test_recordings_answer_what_no_stub_does(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    aoai_emulator.on(contains="weather").answers("It rains.")
    assert words(openai_client) == "It rains."
    assert words(openai_client, messages=user("What is the capital of France?")).startswith("The capital")
    assert [exchange.origin for exchange in aoai_emulator.requests] == ["stub", None]


def test_a_stub_comes_before_a_recording(openai_client: OpenAI, aoai_emulator: Emulator) -> None:
    aoai_emulator.on(contains="capital of France", times=None).answers("Lyon.")
    for _ in range(3):
        assert words(openai_client, messages=user("What is the capital of France?")) == "Lyon."
