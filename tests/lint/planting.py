"""Valid recordings, ways to spoil them, and a folder to run `check` in."""

import json
import re
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from emulator import cli
from emulator.bundle import CASSETTES
from emulator.synthetic import Answer, Asked, calls, draws, embeds, filtered, says, speaks
from emulator.synthetic.seed import Seed
from emulator.tape import cassette
from emulator.tape.cassette import Interaction, Request, Response
from tests.support import AZURE

SYNTHETIC, RECORDED = {"origin": "synthetic"}, {"origin": "recorded"}


def recording(operation: str, answer: Answer, **asked: Any) -> Interaction:
    request = Request("POST", AZURE + operation, (), json.dumps(asked).encode())
    return Interaction(request, answer(Asked(operation, asked, Seed(operation))))


def got(path: str, answer: Any, method: str = "GET", status: int = 200) -> Interaction:
    headers = (("content-type", "application/json"),)
    response = Response(status, "OK", headers, json.dumps(answer, separators=(",", ":")).encode())
    return Interaction(Request(method, AZURE + path, (), b""), response)


PROMPT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi"}]}
CHAT = recording("chat/completions", says("Hello."), **PROMPT)
CHAT_STREAM = recording("chat/completions", says("Hello."), **PROMPT, stream=True)
TOOL_STREAM = recording("chat/completions", calls(("add", {"a": 1})), **PROMPT, stream=True, n=1)
REFUSAL = recording("chat/completions", filtered("hate"), **PROMPT, n=2)
RESPONSE = recording("responses", says("Hello."), model="gpt-4o-mini", input="Hi")
RESPONSE_STREAM = recording("responses", says("Hello."), model="gpt-4o-mini", input="Hi", stream=True)
VECTORS = recording("embeddings", embeds(), model="embedder", input="Hi", dimensions=2)
MODELS = got("models", {"object": "list", "data": [{"id": "m", "object": "model", "created": 1, "owned_by": "x"}]})
COUNT = got("responses/input_tokens", {"object": "response.input_tokens", "input_tokens": 3}, "POST")
DELETED = got("responses/resp_1", {"id": "resp_1", "object": "response.deleted", "deleted": True}, "DELETE")
SPEECH = recording("audio/speech", speaks(), model="tts", input="Hi", voice="alloy", response_format="wav")
SPEECH_STREAM = recording("audio/speech", speaks(), model="x", input="Hi", voice="alloy", stream_format="sse")
PICTURE = recording("images/generations", draws(), model="gpt-image-1", prompt="Hi")
PICTURE_STREAM = recording(
    "images/generations", draws(), model="gpt-image-1", prompt="Hi", stream=True, partial_images=1
)
FORM = cassette.load(CASSETTES / "media/edit.yaml").interactions[0]
HEARD = cassette.load(CASSETTES / "media/transcription_stream.yaml").interactions[0]
SUBTITLES = cassette.load(CASSETTES / "media/subtitles.yaml").interactions[0]
MEDIA = (SPEECH, SPEECH_STREAM, PICTURE, PICTURE_STREAM, FORM, HEARD, SUBTITLES)
SOUND = (*MEDIA, CHAT, CHAT_STREAM, TOOL_STREAM, REFUSAL, RESPONSE, RESPONSE_STREAM, VECTORS, MODELS, COUNT, DELETED)

DESCRIPTION = {  # the part of Azure OpenAI's description that these tests need
    "paths": {
        "/chat/completions": {
            "post": {
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Answer"}}}},
                    "default": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}},
                }
            }
        }
    },
    "components": {
        "schemas": {
            "Answer": {
                "type": "object",
                "required": ["id", "system_fingerprint"],
                "properties": {"id": {"type": "string"}, "prompt_filter_results": {"type": "array"}},
            },
            "Refusal": {
                "type": "object",
                "properties": {"error": {"properties": {name: {"type": "string"} for name in ("code", "param")}}},
            },
        }
    },
}


def swap(interaction: Interaction, pattern: bytes, by: bytes, count: int = 1) -> Interaction:
    """The recording with `by` in the place of the pattern's first match in the answer's body."""
    body, swapped = re.subn(pattern, by, interaction.response.body, count=count, flags=re.DOTALL)
    assert swapped, "the pattern is nowhere"
    return replace(interaction, response=replace(interaction.response, body=body))


def answer(interaction: Interaction, **changes: Any) -> Interaction:
    return replace(interaction, response=replace(interaction.response, **changes))


def without_header(interaction: Interaction, *names: str) -> Interaction:
    kept = tuple(pair for pair in interaction.response.headers if pair[0].lower() not in names)
    return answer(interaction, headers=kept)


def with_type(interaction: Interaction, kind: str) -> Interaction:
    bare = without_header(interaction, "content-type")
    return answer(bare, headers=(*bare.response.headers, ("content-type", kind)))


def frames(interaction: Interaction) -> list[bytes]:
    return re.findall(rb".+?\n\n", interaction.response.body, re.DOTALL)


def reordered(interaction: Interaction, *order: int) -> Interaction:
    """The stream with its frames in this order. The schedule stays."""
    old = frames(interaction)
    at = interaction.response.frame_at_ms[: len(order)]
    return answer(interaction, body=b"".join(old[number] for number in order), frame_at_ms=at)


def renumbered(interaction: Interaction) -> Interaction:
    """The stream with sequence numbers in its order."""
    numbers = iter(range(len(frames(interaction))))
    body = re.sub(
        rb'"sequence_number":\d+', lambda _: b'"sequence_number":%d' % next(numbers), interaction.response.body
    )
    return answer(interaction, body=body)


@dataclass(frozen=True)
class Checked:
    code: int
    text: str

    @property
    def findings(self) -> list[dict[str, str]]:
        """The findings of a check with --json."""
        findings: list[dict[str, str]] = json.loads(self.text)["findings"]
        return findings

    @property
    def codes(self) -> set[str]:
        """The codes of the errors that a check with --json found."""
        return {finding["code"] for finding in self.findings if finding["severity"] == "error"}


@cache
def sound() -> bytes:
    """The cassette of real recordings, with which `check` compares."""
    with TemporaryDirectory() as folder:
        return Workplace(Path(folder)).tape("real", *SOUND, notes=RECORDED).read_bytes()


@dataclass(frozen=True)
class Workplace:
    """A folder with cassettes to check, real recordings and descriptions. Paths in the output are relative to it."""

    folder: Path

    def tape(self, name: str, *interactions: Interaction, notes: Any = SYNTHETIC, to: str = "tapes") -> Path:
        path = self.folder / to / f"{name}.yaml"
        cassette.save(path, interactions, notes)
        return path

    def compare_with(self) -> None:
        (self.folder / "real").mkdir(exist_ok=True)
        (self.folder / "real" / "real.yaml").write_bytes(sound())
        (self.folder / "specs").mkdir(exist_ok=True)
        (self.folder / "specs" / "azure-openai-v1.json").write_text(json.dumps(DESCRIPTION))

    def check(self, capsys: Any, *options: str) -> Checked:
        """Runs `check` in this process. Its output leaves out what depends on the SDK's version."""
        against = ("--recordings", "real", "--specs", "specs")
        arguments = cli.parser().parse_args(["check", "--cassettes", "tapes", *against, *options])
        code = arguments.verb(arguments)
        text = re.sub(r"openai \d+\.\d+\.\d+", "openai X", capsys.readouterr().out)
        return Checked(code, re.sub(r"one of \d+ forms", "one of N forms", text))
