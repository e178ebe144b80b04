"""What an error means and what to do: the README's table of troubleshooting, which stands nowhere else."""

import functools
import json
import re
from collections.abc import Mapping

import httpx

from ..stack import ROOT

BY_STATUS = {  # an error without a body, which comes from the Functions host
    401: "401 with an empty body",
    404: "404 with an empty body",
    429: "429 `Too Busy`",
}
BY_CODE = {  # errors of Azure's own, which the proxy passes on
    "DeploymentNotFound": "Azure's `DeploymentNotFound`",
    "unknown_model": "Azure's `DeploymentNotFound`",
    "RateLimitReached": "Azure's 429",
    "429": "Azure's 429",
    "too_many_requests": "Azure's 429",
}


class Problem(Exception):
    """What a check found wrong, and the beginning of its row in the README."""

    def __init__(self, found: str, cause: str) -> None:
        super().__init__(found)
        self.found, self.cause = found, cause


def require(answer: httpx.Response) -> httpx.Response:
    """The answer, unless it is an error. Raises Problem with the row that explains it."""
    if answer.is_success:
        return answer
    if not answer.content.strip():
        found = f"{answer.status_code} with an empty body"
        raise Problem(found, cause_of_page(answer))
    try:
        raise of_error(answer.status_code, answer.json()["error"])
    except (ValueError, TypeError, KeyError):
        found, text = f"{answer.status_code} without an error of OpenAI's shape", answer.text[:100]
        raise Problem(f"{found}: {text}", cause_of_page(answer)) from None


def cause_of_page(answer: httpx.Response) -> str:
    """Of an error that has another shape: Azure's, which came through the proxy, or of whoever stands before it."""
    if "proxy;dur" in answer.headers.get("server-timing", ""):
        return "another error"
    return BY_STATUS.get(answer.status_code, "a page instead of an error")


def of_error(status: int, error: Mapping[str, object]) -> Problem:
    """Of an error in OpenAI's shape. Raises TypeError and KeyError where it is none."""
    code, row = str(error["code"]), f"{status} `{error['code']}`"
    cause = BY_CODE.get(code) or (row if row in table() else "another error")
    return Problem(f"{status} {code}: {error['message']}", cause)


def read(text: str | bytes) -> None:
    """Of an answer, or one frame of a stream: raises Problem where it is no JSON, or an error of Azure's."""
    try:
        told = json.loads(text)
        if isinstance(told, dict) and told.get("error"):  # a Response has it, and it is null
            raise of_error(200, told["error"])
    except ValueError:
        raise Problem(f"no JSON: {text[:60]!r}", "an answer that cannot be read") from None
    except (TypeError, KeyError):
        raise Problem(f"an error of another shape: {text[:60]!r}", "another error") from None


@functools.cache
def table() -> dict[str, str]:
    """The README's troubleshooting: what one sees, what it means."""
    text = (ROOT / "README.md").read_text(encoding="utf-8").split("## When something goes wrong", 1)[1]
    return dict(re.findall(r"^\| (?!what you see|-)(.+?) \| (.+?) \|$", text.split("\n## ", 1)[0], re.MULTILINE))


def meaning_of(cause: str) -> str:
    """Raises StopIteration for a cause that has no row, which the tests exclude."""
    return next(meaning for seen, meaning in table().items() if seen.startswith(cause))
