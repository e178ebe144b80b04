"""Azure's OpenAPI descriptions, one file per api-version: `azure-openai-v1.json`, `azure-openai-2024-10-21.yaml`."""

import json
import re
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml

from .recording import Recording
from .schema import Schema

PREFIX = "azure-openai-"
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Descriptions:
    """The descriptions in a folder. Each is read when it is first needed."""

    def __init__(self, folder: Path) -> None:
        files = (path for path in folder.glob(f"{PREFIX}*") if path.suffix in (".json", ".yaml", ".yml"))
        self.files = {path.stem.removeprefix(PREFIX): path for path in files}

    @cached_property
    def dated(self) -> list[str]:
        return sorted(version for version in self.files if version[0].isdigit())

    def version_for(self, recording: Recording) -> str | None:
        """v1, or for a dated recording the newest version that is not newer than the recording's."""
        if recording.route.generation == "v1":
            return "v1" if "v1" in self.files else None
        asked = recording.route.api_version or ""
        return max((version for version in self.dated if version <= asked), default=None)

    def schema_for(self, recording: Recording) -> tuple[str, Schema] | None:
        """(name of the description, schema of this answer or of its events); None when nothing describes the answer."""
        version = self.version_for(recording)
        if version is None:
            return None
        document, method = _load(self.files[version]), recording.interaction.request.method.lower()
        found: dict[str, Any] = next((item for path, item in document["paths"].items() if _fits(path, recording)), {})
        answers = found.get(method, {}).get("responses", {})
        answer = answers.get(str(recording.response.status)) or answers.get("default") or {}
        media = "text/event-stream" if recording.kind.streamed else "application/json"
        node = answer.get("content", {}).get(media, {}).get("schema")
        return (f"{PREFIX}{version}", Schema(node, document)) if node else None


def _fits(path: str, recording: Recording) -> bool:
    template = re.sub(r"\{[^}]+\}", "{id}", path.removeprefix("/deployments/{deployment-id}")).strip("/")
    return template == recording.kind.operation.split(" ")[1]


@cache
def _load(path: Path) -> Any:
    text = path.read_text(encoding="utf-8")
    return json.loads(text) if path.suffix == ".json" else yaml.load(text, Loader=LOADER)  # noqa: S506  (it is safe)
