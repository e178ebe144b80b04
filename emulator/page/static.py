"""The page's files in `static/`. They are the same in every run, and hold nothing of a run.

A browser runs these files alone (Content Security Policy 3), and never turns text into HTML (Trusted Types). It asks
each time whether a file has changed, so an update shows at once.
"""

import hashlib
from pathlib import Path

from ..azure.app import CONTROL_PATH
from .answer import GUARDED, Answer, Headers
from .asked import Asked
from .refusal import Refusal
from .subject import Subject

FOLDER = Path(__file__).with_name("static")
INDEX = "index.html"
TYPES = {  # Python's mimetypes reads the Windows registry, which may say text/plain
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "connect-src": "'self'",
    "img-src": "'self' data:",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "'none'",
}
HEADERS: Headers = tuple(
    (
        dict(GUARDED)
        | {"content-security-policy": "; ".join(map(" ".join, POLICY.items())), "cache-control": "no-cache"}
    ).items()
)


def index(_: Subject, asked: Asked) -> Answer:
    return _answer(INDEX, asked)


def file(_: Subject, asked: Asked) -> Answer:
    return _answer(asked.parts["file"], asked)


def _answer(name: str, asked: Asked) -> Answer:
    """The folder's file of this name; no path is made of the name. Raises Refusal."""
    path = {path.name: path for path in FOLDER.glob("*") if path.suffix in TYPES}.get(name)
    if path is None:
        raise Refusal(404, "no_such_file", "The page has no file of this name.")
    content = path.read_bytes()
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = (("content-type", TYPES[path.suffix]), ("etag", tag))
    if tag in asked.known:
        return Answer(b"", headers, 304, HEADERS)
    return Answer(content, headers, guards=HEADERS)


def moved(_: Subject, __: Asked) -> Answer:
    """Redirects to the address from which the page's links work."""
    return Answer(b"", (("location", f"{CONTROL_PATH}/"),), 307, HEADERS)
