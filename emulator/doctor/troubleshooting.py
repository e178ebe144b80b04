"""What an error means and what to do: the README's table of troubleshooting, which stands nowhere else."""

import functools
import re

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
        raise Problem(found, BY_STATUS.get(answer.status_code, "a page instead of an error"))
    try:
        error = answer.json()["error"]
        code, message = str(error["code"]), str(error["message"])
    except (ValueError, TypeError, KeyError):
        found, text = f"{answer.status_code} without an error of OpenAI's shape", answer.text[:100]
        raise Problem(f"{found}: {text}", BY_STATUS.get(answer.status_code, "a page instead of an error")) from None
    cause = BY_CODE.get(code) or (
        f"{answer.status_code} `{code}`" if f"{answer.status_code} `{code}`" in table() else ""
    )
    raise Problem(f"{answer.status_code} {code}: {message}", cause or "another error")


@functools.cache
def table() -> dict[str, str]:
    """The README's troubleshooting: what one sees, what it means."""
    text = (ROOT / "README.md").read_text(encoding="utf-8").split("## When something goes wrong", 1)[1]
    return dict(re.findall(r"^\| (?!what you see|-)(.+?) \| (.+?) \|$", text.split("\n## ", 1)[0], re.MULTILINE))


def meaning_of(cause: str) -> str:
    """Raises StopIteration for a cause that has no row, which the tests exclude."""
    return next(meaning for seen, meaning in table().items() if seen.startswith(cause))
