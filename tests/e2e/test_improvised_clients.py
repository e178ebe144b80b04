"""Every client gets an improvised answer, and every agent's loop ends on an improvised service, offline."""

import json
import subprocess

import pytest

from emulator.emulation import Emulator
from tests.e2e.fault_matrix import clients
from tests.e2e.fault_matrix.clients import OTHER, Call, absent, stop_node
from tests.e2e.improvised import QUESTION, made_up
from tests.e2e.scenarios import chat

pytestmark = pytest.mark.aoai_improvise

MODEL = "gpt-4o-mini"


@pytest.fixture
def unrecorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Questions of the clients that no recording answers."""
    monkeypatch.setattr(chat, "user", lambda content: [{"role": "user", "content": f"{content} {QUESTION}"}])


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("client", ["openai_chat", "openai_async"])
@pytest.mark.usefixtures("unrecorded")
def test_the_sdk_gets_one(aoai_emulator: Emulator, client: str, stream: bool) -> None:
    stack = aoai_emulator.stack
    seen = clients.CLIENTS[client][1](Call(stack.base_url, stack.function_key, stream, 20))
    assert (seen, made_up(aoai_emulator)) == (OTHER, 1), "an answer, and another one than the recorded"


@pytest.mark.parametrize("stream", [False, True])
def test_curl_gets_one(aoai_emulator: Emulator, stream: bool) -> None:
    if reason := absent("curl"):
        pytest.skip(reason)
    body = {"model": MODEL, "messages": chat.user(QUESTION), "stream": stream}
    command = ["curl", "-sS", "--no-buffer", "--fail-with-body", "--json", "@-"]
    command += ["-H", f"x-functions-key: {aoai_emulator.stack.function_key}"]
    command += [f"{aoai_emulator.stack.base_url}/chat/completions"]
    told = subprocess.run(command, input=json.dumps(body), capture_output=True, text=True, check=True).stdout
    assert told.rstrip().endswith("data: [DONE]" if stream else "}")
    assert made_up(aoai_emulator) == 1


@pytest.mark.parametrize("stream", [False, True])
def test_the_npm_package_gets_one(aoai_emulator: Emulator, stream: bool) -> None:
    if reason := absent("openai_npm"):
        pytest.skip(reason)
    process, stack = clients.node(), aoai_emulator.stack
    assert process.stdin
    assert process.stdout
    call = vars(Call(stack.base_url, stack.function_key, stream, 20))
    body = {"model": MODEL, "messages": chat.user(QUESTION), "stream": stream}
    try:
        process.stdin.write(json.dumps(call | {"body": body, "retries": 0}) + "\n")
        process.stdin.flush()
        assert QUESTION[-20:] in json.loads(process.stdout.readline())["text"]
    finally:
        stop_node()
    assert made_up(aoai_emulator) == 1
