"""Azure's own error answers, for requests that need no recording. errors.yaml has the bytes and their sources."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

JSON = ("content-type", "application/json")
HTML = ("content-type", "text/html")
NO_RECORDING_HEADERS = (JSON, ("x-should-retry", "false"))  # a 424 costs every client one try, a 5xx up to four
WAITING = ("retry-after", "retry-after-ms", "x-ratelimit-reset-requests", "x-ratelimit-reset-tokens")
OPERATION_IDS = {  # those of audio and images from Azure's descriptions
    "chat/completions": "ChatCompletions_Create",
    "embeddings": "Embeddings_Create",
    "audio/speech": "Speech_Create",
    "audio/transcriptions": "Transcriptions_Create",
    "audio/translations": "Translations_Create",
    "images/generations": "ImageGenerations_Create",
    "images/edits": "ImageEdits_Create",  # inferred
}


@dataclass(frozen=True)
class AzureError:
    """A whole answer. The request's own values replace <model>, <deployment>, <operation> and <api_version>."""

    status: int
    body: str
    headers: tuple[tuple[str, str], ...]
    evidence: str
    chunked: bool = False

    def body_for(self, facts: Mapping[str, str]) -> bytes:
        return _fill(self.body, {name: json.dumps(value)[1:-1] for name, value in facts.items()}).encode()

    def headers_for(self, facts: Mapping[str, str], said: Mapping[str, str] | None = None) -> list[tuple[str, str]]:
        """The headers. A header holds Latin-1 only, so other characters of a value become JSON escapes. `said` replaces
        the headers about the rate limit."""
        plain = {name: json.dumps(value)[1:-1] for name, value in facts.items()}
        headers = [(name, _fill(value, plain)) for name, value in self.headers]
        if said is None:
            return headers
        return [pair for pair in headers if pair[0] not in (*WAITING, *said)] + [*said.items()]


def _fill(text: str, facts: Mapping[str, str]) -> str:
    for name, value in facts.items():
        text = text.replace(f"<{name}>", value)
    return text


def _read() -> dict[str, AzureError]:
    known = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))["errors"]
    return {name: AzureError(**item | {"headers": tuple(item["headers"].items())}) for name, item in known.items()}


ERRORS = _read()


def no_recording(message: str, code: str = "no_recorded_interaction") -> bytes:
    """The emulator's own error for a request that it cannot answer. No error of Azure's looks like it."""
    error = {"message": message, "type": "emulator_error", "param": None, "code": code}
    return json.dumps({"error": error}, ensure_ascii=False).encode()
