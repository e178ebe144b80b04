"""Texts that users see, kept as files so that a reviewer sees what a user sees. UPDATE_GOLDEN=1 rewrites them.

A file has `…` in the place of a library's reason: libraries change their words.
"""

import os
import re
from pathlib import Path

FOLDER = Path(__file__).with_name("golden")
REASON = re.compile(
    r"(?<=not YAML: ).*|(?<=not JSON: ).*|(?<=not gzip: ).*|(?<=not base64: ).*|(?<=no text \().*(?=\))|\[Errno .*"
    r"|(?<=no regular expression \().*(?=\))"
    r"|(?<=no JSON \()(?!it |NaN )[^)]*"  # these reasons are our own
)


def assert_golden(name: str, text: str) -> None:
    path = FOLDER / name
    text = ours(text)
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"{name} differs; if that is meant: UPDATE_GOLDEN=1 pytest"


def ours(text: str) -> str:
    """The text without the words of libraries in it."""
    return REASON.sub("…", text)
