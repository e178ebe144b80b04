"""Reads an error in any shape, and finds the row of docs/troubleshooting.md that explains it."""

import json
import re
from typing import Any

import httpx

from .troubleshooting import table
from .wording import LONG, OPERATION, TOO_FEW, has, refused

OTHER, PAGE, UNREADABLE = "another error", "a page instead of an error", "an answer that cannot be read"
NO_DEPLOYMENT, ROLE, QUOTA = "Azure's `DeploymentNotFound`", "502 `upstream_authentication_error`", "Azure's 429"
TOO_MANY, UNRECORDED = "400 `too_many_output_tokens`", "424 `no_recorded_interaction`"
NOT_SERVED = "404 `model_not_found`"

BY_STATUS = {  # errors of the Functions host, which have no body (its 429 has two words)
    401: "401 with an empty body",
    404: "404 with an empty body",
    429: "429 `Too Busy`",
    500: "500 with an empty body",
}
BY_CODE = {  # Azure's errors, which the proxy passes on, and the proxy's with a status of Azure's
    "DeploymentNotFound": NO_DEPLOYMENT,
    "unknown_model": NO_DEPLOYMENT,
    "RateLimitReached": QUOTA,
    "rate_limit_exceeded": QUOTA,
    "too_many_requests": QUOTA,
    "missing_api_key": "401 `missing_api_key`",
    "invalid_api_key": "401 `invalid_api_key`",
    "api_key_ended": "401 `api_key_ended`",
    "api_key_revoked": "401 `api_key_revoked`",
    "model_not_in_key": "403 `model_not_in_key`",
}
BY_WORDS = (  # where Azure's codes differ: status, words in the message, row
    (401, r"", ROLE),
    (403, r"", ROLE),
    (404, r"retired|deprecated|no longer (available|supported)", NO_DEPLOYMENT),
    (410, r"", NO_DEPLOYMENT),
    (429, r"", QUOTA),
)
OF_THE_QUESTION = (400, 404, 405, 415, 422, 424)  # after these, another model or question may get an answer
HARMLESS = (OPERATION, TOO_FEW, TOO_MANY, UNRECORDED)  # the proxy is well, and does as it was told


class Problem(Exception):
    """A problem that a check found, and the beginning of its row in the table."""

    def __init__(self, found: str, cause: str) -> None:
        super().__init__(found)
        self.found, self.cause = found, cause


class Refusal(Problem):
    """A model refused one question with these words. Another question may get an answer."""

    def __init__(self, found: str, cause: str, text: str) -> None:
        super().__init__(found, cause)
        self.text = text


def require(answer: httpx.Response) -> httpx.Response:
    """The answer. Raises Problem when it is an error."""
    if answer.is_success:
        return answer
    status, text = answer.status_code, answer.text
    code, message = told(text)
    cause = cause_of(status, code, text)
    if not text.strip():
        found, cause = f"{status} with an empty body", cause_of_page(answer)
    elif message:
        found = spelled(status, code, message)
    else:
        found = f"{status} without an error of OpenAI's shape: {text[:100]}"
        cause = cause_of_page(answer) if cause not in HARMLESS else cause
    if status in OF_THE_QUESTION and cause in (OTHER, PAGE, *HARMLESS):
        raise Refusal(found, cause, text)
    raise Problem(found, cause)


def told(text: str | bytes) -> tuple[str, str]:
    """(code, message) of an error in any shape; "" for a missing one."""
    try:
        error: Any = json.loads(text)
    except (ValueError, RecursionError):
        return "", ""
    error = error.get("error", error) if isinstance(error, dict) else error
    if not isinstance(error, dict):
        return "", error if isinstance(error, str) else ""
    code = next((str(error[name]) for name in ("code", "type") if error.get(name)), "")
    message = next((error[name] for name in ("message", "detail") if error.get(name)), error)
    return code, message if isinstance(message, str) else json.dumps(message)


def spelled(status: int, code: str, message: str) -> str:
    head = f"{status} {code}" if code not in ("", str(status)) else f"{status}"
    return f"{head}: {message[:LONG]}".encode(errors="replace").decode()  # nobody can print half a surrogate pair


def cause_of(status: int, code: str, text: str) -> str:
    known = status if status != 200 else r"\d+"  # in mid-stream an error has no status of its own
    own = [seen for seen in table() if re.match(rf"{known} `{re.escape(code)}`", seen)]
    words = [row for of, text_has, row in BY_WORDS if of == status and has(text_has, text)]
    asked = refused(text) if status in (200, *OF_THE_QUESTION) else []
    return next((row for row in (BY_CODE.get(code), *words, *own, *asked) if row), OTHER)


def cause_of_page(answer: httpx.Response) -> str:
    """The row for an error without OpenAI's shape, from Azure through the proxy, or from a server in front of it."""
    if "proxy;dur" in answer.headers.get("server-timing", ""):
        return OTHER
    empty = not answer.content.strip() or answer.status_code == 429
    return BY_STATUS.get(answer.status_code, PAGE) if empty else PAGE


def read(text: str | bytes) -> None:
    """Checks an answer with status 200, or one frame of a stream. Raises Problem when it is not JSON, or an error of
    Azure's."""
    try:
        whole: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise Problem(f"no JSON: {text[:60]!r}", UNREADABLE) from None
    if isinstance(whole, dict) and whole.get("error"):  # in a good Response it is null
        code, message = told(text)
        cause, found = cause_of(200, code, message), f"an answer with an error in it: {spelled(200, code, message)}"
        raise Refusal(found, cause, message) if cause in HARMLESS else Problem(found, cause)
