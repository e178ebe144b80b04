"""Programs need only a base URL and a key. The tests send the programs' requests, and run the programs that are
installed. CLIENTS_PYTHON names a Python that has langchain-openai and llm; aider is on PATH, or AIDER names it."""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from openai import AsyncAzureOpenAI, AsyncOpenAI, AzureOpenAI, OpenAI

from tests.e2e.fault_matrix.clients import NODE_MODULES
from tests.keys import answers
from tests.keys.answers import WORD
from tests.keys.signing import key_text, keys_url
from tests.support import Proxy, RawUpstream

MODEL, VERSION = "gpt-4o", "2024-10-21"
MESSAGES: list[Any] = [{"role": "user", "content": "Say ready."}]
CHAT = {"model": MODEL, "messages": MESSAGES}
KEY = key_text()
CLIENTS_PYTHON = os.environ.get("CLIENTS_PYTHON", "")
AIDER = os.environ.get("AIDER") or shutil.which("aider") or ""


@pytest.fixture(scope="module", autouse=True)
def answering(upstream: RawUpstream) -> Iterator[RawUpstream]:
    before, upstream.answer = upstream.answer, answers.answer
    yield upstream
    upstream.answer = before


@pytest.fixture
def base_url(signed: Proxy, answering: RawUpstream) -> Iterator[str]:
    answering.arrived.clear()
    yield keys_url(signed)
    for arrived in answering.arrived:
        assert KEY.encode() not in arrived.head + arrived.body


@pytest.fixture
def endpoint(base_url: str) -> str:
    return base_url.removesuffix("/v1")


# --- requests as the programs send them: {} is the key ----------------------------------------------------------------

BEARER = {"Authorization": "Bearer {}"}
JSON = {"Content-Type": "application/json"}
BOTH = {**BEARER, "api-key": "{}"}  # Open WebUI's kind Azure and Continue send the key twice
THREE = {**BOTH, "x-api-key": "{}"}  # Continue's two libraries together
ABOUT = {
    "X-OpenWebUI-User-Name": "Jos%C3%A9 M",
    "X-OpenWebUI-User-Id": "1",
    "X-OpenWebUI-User-Email": "jose@example.org",
    "X-OpenWebUI-User-Role": "user",
    "X-OpenWebUI-Chat-Id": "2",
}
STREAM = CHAT | {"stream": True, "stream_options": {"include_usage": True}}
IN_DEPLOYMENT = f"openai/deployments/{MODEL}/chat/completions"
SHAPES: dict[str, list[tuple[str, dict[str, str], dict[str, Any] | None]]] = {  # path below the endpoint, headers, body
    "Open WebUI": [
        ("v1/models", BEARER | ABOUT, None),
        ("v1/models", BEARER | ABOUT | JSON | {"Cookie": "oauth_session_id=1"}, None),  # its button `Verify Connection`
        ("v1/chat/completions", BEARER | ABOUT | JSON, CHAT | {"stream": True}),
        ("v1/chat/completions", BEARER | JSON, CHAT | {"stream": False, "max_tokens": 1_000}),  # titles, tags
    ],
    "Open WebUI, Azure": [
        ("openai/models?api-version=2023-03-15-preview", BOTH | JSON, None),  # `Verify Connection`
        (f"{IN_DEPLOYMENT}?api-version={VERSION}", BOTH | JSON, {"messages": MESSAGES, "stream": True}),
    ],
    "LibreChat": [
        ("v1/models", BEARER | {"Accept": "application/json, text/plain, */*", "User-Agent": "axios/1.13"}, None),
        ("v1/models?user=6523", BEARER | {"OpenAI-Organization": "org-1"}, None),  # with `userIdQuery`
        ("v1/chat/completions", BEARER | {"User-Agent": "LibreChat/OpenAI/JS"} | JSON, STREAM | {"user": "6523"}),
    ],
    "LibreChat, Azure": [(f"{IN_DEPLOYMENT}?api-version={VERSION}", BOTH | JSON, STREAM)],
    "Continue": [
        ("v1/models", BOTH | JSON, None),
        ("v1/models/", THREE | JSON, None),
        ("v1/chat/completions", THREE | JSON | {"Accept": "application/json"}, STREAM | {"parallel_tool_calls": False}),
        ("v1/chat/completions", BOTH | JSON, CHAT | {"stream": True, "max_tokens": 4_096, "temperature": 0.5}),
        ("v1/embeddings", BOTH | JSON, {"model": MODEL, "input": ["a", "b"]}),
    ],
    "Continue, Azure": [
        (f"{IN_DEPLOYMENT}?api-version={VERSION}", BOTH | JSON, CHAT | {"stream": True}),
    ],
    "Cursor": [  # the first is its button `Verify`
        (
            "v1/chat/completions",
            BEARER | JSON,
            CHAT | {"messages": [{"role": "system", "content": "Test."}, *MESSAGES]},
        ),
        ("v1/chat/completions", BEARER | JSON, STREAM | {"tools": [], "temperature": 0}),
    ],
    "Cursor with a deployment's URL": [(IN_DEPLOYMENT, BEARER | JSON, CHAT)],
    "Jupyter AI": [("v1/chat/completions", BEARER | JSON, CHAT | {"n": 1, "stream": True})],
    "an Anthropic-like tool": [("v1/chat/completions", {"x-api-key": "{}", **JSON}, CHAT)],
}


@pytest.mark.parametrize("program", SHAPES)
def test_what_a_program_sends_is_answered(endpoint: str, program: str) -> None:
    for path, headers, body in SHAPES[program]:
        sent = {name: value.format(KEY) for name, value in headers.items()}
        method = "GET" if body is None else "POST"
        answer = httpx.request(method, f"{endpoint}/{path}", headers=sent, json=body, timeout=20)
        assert answer.status_code == 200, answer.text
        if body is None:
            assert MODEL in [entry["id"] for entry in answer.json()["data"]]
        elif "embeddings" not in path:
            assert WORD in answer.text
            assert answer.headers["content-type"].startswith("text/event-stream") == body.get("stream", False)


# --- the programs themselves ------------------------------------------------------------------------------------------


def test_the_openai_sdk(base_url: str) -> None:
    with OpenAI(base_url=base_url, api_key=KEY, max_retries=0) as client:
        assert [model.id for model in client.models.list()] == ["gpt-4o-mini", MODEL]
        assert client.chat.completions.create(model=MODEL, messages=MESSAGES).choices[0].message.content == WORD
        pieces = client.chat.completions.create(model=MODEL, messages=MESSAGES, stream=True)
        assert "".join(piece.choices[0].delta.content or "" for piece in pieces) == WORD
        assert client.responses.create(model=MODEL, input="Say ready.", store=False).output_text == WORD
        assert client.embeddings.create(model=MODEL, input="x", encoding_format="float").data[0].embedding == [
            0.25,
            0.5,
        ]


def test_the_openai_sdk_for_azure(endpoint: str, answering: RawUpstream) -> None:
    with AzureOpenAI(azure_endpoint=endpoint, api_key=KEY, api_version=VERSION, max_retries=0) as client:
        assert client.chat.completions.create(model=MODEL, messages=MESSAGES).choices[0].message.content == WORD
        pieces = client.chat.completions.create(model=MODEL, messages=MESSAGES, stream=True)
        assert "".join(piece.choices[0].delta.content or "" for piece in pieces) == WORD
        assert client.responses.create(model=MODEL, input="Say ready.", store=False).output_text == WORD
        assert client.embeddings.create(model=MODEL, input="x", encoding_format="float").data[0].embedding == [
            0.25,
            0.5,
        ]
        assert [model.id for model in client.models.list()] == ["gpt-4o-mini", MODEL]
    for arrived in answering.arrived:
        assert "api-version" not in arrived.line
        assert json.loads(arrived.body)["model"] == "my-4o-deployment"


def test_a_deployment_in_the_path_goes_before_the_model_in_the_body(endpoint: str, answering: RawUpstream) -> None:
    """A path names a deployment by its model's name, or by its own name, as Azure's paths do."""
    for deployment in (MODEL, "my-4o-deployment"):
        options: dict[str, Any] = {"azure_deployment": deployment, "api_version": VERSION, "max_retries": 0}
        with AzureOpenAI(azure_endpoint=endpoint, api_key=KEY, **options) as client:
            client.chat.completions.create(model="something else", messages=MESSAGES)
        assert json.loads(answering.arrived[-1].body)["model"] == "my-4o-deployment"


def test_the_asynchronous_sdks(base_url: str, endpoint: str) -> None:
    async def ask() -> list[str | None]:
        options: dict[str, Any] = {"api_key": KEY, "max_retries": 0}
        async with (
            AsyncOpenAI(base_url=base_url, **options) as plain,
            AsyncAzureOpenAI(azure_endpoint=endpoint, api_version=VERSION, **options) as for_azure,
        ):
            made = [client.chat.completions.create(model=MODEL, messages=MESSAGES) for client in (plain, for_azure)]
            return [answer.choices[0].message.content for answer in await asyncio.gather(*made)]

    assert asyncio.run(ask()) == [WORD, WORD]


def test_the_v1_api_of_azure(endpoint: str) -> None:
    """Microsoft's documentation shows the OpenAI client with base_url=…/openai/v1/."""
    with OpenAI(base_url=f"{endpoint}/openai/v1/", api_key=KEY, max_retries=0) as client:
        assert client.chat.completions.create(model=MODEL, messages=MESSAGES).choices[0].message.content == WORD
        assert client.responses.create(model=MODEL, input="Say ready.", store=False).output_text == WORD


def test_the_client_for_azure_with_a_function_key(signed: Proxy, answering: RawUpstream) -> None:
    root = signed.base_url.removesuffix("/v1")
    options: dict[str, Any] = {"api_version": VERSION, "default_headers": signed.headers, "max_retries": 0}
    with AzureOpenAI(azure_endpoint=root, api_key="unused", **options) as client:
        assert client.chat.completions.create(model=MODEL, messages=MESSAGES).choices[0].message.content == WORD
        client.responses.create(model=MODEL, input="Say ready.")  # Azure may store the response


def test_dspys_own_engine(base_url: str) -> None:
    dspy = pytest.importorskip("dspy")
    lm = dspy.LM(f"openai/{MODEL}", api_base=base_url, api_key=KEY, cache=False, num_retries=0)
    assert lm("Say ready.") == [WORD]


@pytest.mark.parametrize("kind", ["openai", "azure"])
def test_litellm(base_url: str, endpoint: str, kind: str) -> None:
    litellm = pytest.importorskip("litellm")
    where = {"openai": {"api_base": base_url}, "azure": {"api_base": endpoint, "api_version": VERSION}}[kind]
    answer = litellm.completion(f"{kind}/{MODEL}", MESSAGES, api_key=KEY, num_retries=0, **where)
    assert answer.choices[0].message.content == WORD


def test_curl(base_url: str) -> None:
    command = ["curl", "-sS", "--fail-with-body", "--json", json.dumps(CHAT), "-H", f"Authorization: Bearer {KEY}"]
    done = subprocess.run([*command, f"{base_url}/chat/completions"], capture_output=True, text=True, timeout=20)
    assert WORD in done.stdout


NODE = """
import { createRequire } from "node:module";
const require = createRequire(process.env.NODE_MODULES + "/");
const { BASE_URL, ENDPOINT, KEY, MODEL, VERSION, WHICH } = process.env;
const messages = [{ role: "user", content: "Say ready." }];
if (WHICH.startsWith("openai")) {
  const { default: OpenAI, AzureOpenAI } = require("openai");
  const client = WHICH == "openai"
    ? new OpenAI({ baseURL: BASE_URL, apiKey: KEY })
    : new AzureOpenAI({ endpoint: ENDPOINT, apiKey: KEY, apiVersion: VERSION });
  let text = "";
  for await (const chunk of await client.chat.completions.create({ model: MODEL, messages, stream: true }))
    text += chunk.choices[0]?.delta.content ?? "";
  const answer = await client.chat.completions.create({ model: MODEL, messages });
  console.log(text, answer.choices[0].message.content);
} else {
  const { generateText } = require("ai");
  const make = WHICH == "@ai-sdk/openai"
    ? require(WHICH).createOpenAI({ baseURL: BASE_URL, apiKey: KEY }).chat
    : require(WHICH).createOpenAICompatible({ name: "proxy", baseURL: BASE_URL, apiKey: KEY });
  const { text } = await generateText({ model: make(MODEL), prompt: "Say ready." });
  console.log(text, text);
}
"""


@pytest.mark.parametrize("which", ["openai", "openai for Azure", "@ai-sdk/openai", "@ai-sdk/openai-compatible"])
def test_node(base_url: str, endpoint: str, which: str, tmp_path: Path) -> None:
    package = which.split()[0]
    if not (shutil.which("node") and (NODE_MODULES / package).is_dir()):
        pytest.skip(f"no node, or no {NODE_MODULES / package}; tests/README.md says how to get it")
    script = tmp_path / "ask.mjs"
    script.write_text(NODE)
    told = {"BASE_URL": base_url, "ENDPOINT": endpoint, "KEY": KEY, "MODEL": MODEL, "VERSION": VERSION, "WHICH": which}
    environment = os.environ | told | {"NODE_MODULES": str(NODE_MODULES)}
    done = subprocess.run(["node", str(script)], env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == [WORD, WORD], done.stderr


LANGCHAIN = """
import os
from langchain_openai import AzureChatOpenAI, ChatOpenAI
key, model = os.environ["KEY"], os.environ["MODEL"]
plain = ChatOpenAI(base_url=os.environ["BASE_URL"], api_key=key, model=model)
azure = AzureChatOpenAI(
    azure_endpoint=os.environ["ENDPOINT"], api_key=key, azure_deployment=model, api_version=os.environ["VERSION"]
)
for client in plain, azure:
    print(client.invoke("Say ready.").content, "".join(piece.content for piece in client.stream("Say ready.")))
"""


@pytest.mark.parametrize("name", ["langchain_openai", "llm"])
def test_python_programs_of_their_own_environment(base_url: str, endpoint: str, name: str, tmp_path: Path) -> None:
    if not CLIENTS_PYTHON or subprocess.run([CLIENTS_PYTHON, "-c", f"import {name}"], capture_output=True).returncode:
        pytest.skip(f"CLIENTS_PYTHON names no Python that has {name}")
    told = {"BASE_URL": base_url, "ENDPOINT": endpoint, "KEY": KEY, "MODEL": MODEL, "VERSION": VERSION}
    environment = os.environ | told | {"LLM_USER_PATH": str(tmp_path), "OPENAI_API_KEY": KEY}
    model = {"model_id": "p", "model_name": MODEL, "api_base": base_url, "api_key_name": "proxy"}
    (tmp_path / "extra-openai-models.yaml").write_text(json.dumps([model]))  # JSON is YAML
    command = ["-c", LANGCHAIN] if name == "langchain_openai" else ["-m", "llm", "-m", "p", "--key", KEY, "Say ready."]
    done = subprocess.run([CLIENTS_PYTHON, *command], env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == [WORD] * (4 if name == "langchain_openai" else 1), done.stderr


@pytest.mark.skipif(not AIDER, reason="aider is not installed: it needs an environment of its own, AIDER says where")
def test_aider(base_url: str, tmp_path: Path) -> None:
    command = [AIDER, "--model", f"openai/{MODEL}", "--openai-api-base", base_url, "--openai-api-key", KEY]
    command += ["--no-git", "--yes-always", "--no-show-model-warnings", "--no-check-update", "--message", "Say ready."]
    environment = os.environ | {
        "HOME": str(tmp_path),
        "AIDER_ANALYTICS": "false",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    }
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100)
    assert WORD in done.stdout.split(), done.stdout + done.stderr
