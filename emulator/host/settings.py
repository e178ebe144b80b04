"""The settings of an app on its developer's machine: `local.settings.json`, as Azure Functions Core Tools read it."""

import json
from pathlib import Path

from .app import AppError, refusing

FILE = "local.settings.json"


def local_settings(folder: Path) -> dict[str, str]:
    """The file's `Values`; empty when there is no file. Raises AppError."""
    path = folder / FILE
    if not path.is_file():
        return {}
    with refusing(path):
        settings = json.loads(path.read_text(encoding="utf-8-sig"))
        if settings.get("IsEncrypted"):
            raise AppError("it is encrypted; `func settings decrypt` makes it readable")
        return {name: str(value) for name, value in settings.get("Values", {}).items()}
