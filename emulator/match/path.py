"""A path into JSON: `metadata.run`, `tools[*].function.description`, `messages[-1].content`, `metadata["run.id"]`.

A step is a member's name, an item's number, or EACH for every item of a list. A negative number counts from the end.
"""

import json
import re

EACH = None
MOST_STEPS, LONGEST = 20, 200  # of a path; characters of it

Step = str | int | None
Path = tuple[Step, ...]

_NAME = r"[^\s.\[\]\"'*$]+"
_STEP = re.compile(
    rf"(?:^|(?<=.)\.)(?P<name>{_NAME})|"
    r"\[(?:(?P<each>\*)|(?P<item>-?[0-9]{1,6})|(?P<quoted>\"(?:[^\"\\]|\\.)*\"))\]",
    re.DOTALL,
)
_PLAIN = re.compile(_NAME)
FORM = 'write a path as metadata.run, messages[*].content, messages[-1].content or metadata["run.id"]'


class PathError(ValueError):
    """The message says what is wrong with the path, and what to write."""


def parse(text: str) -> Path:
    """Raises PathError."""
    steps, at = list[Step](), 0
    if len(text) > LONGEST:
        raise PathError(f"the path is longer than {LONGEST} characters")
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None:
            raise PathError(FORM)
        steps.append(_step(found))
        at = found.end()
    if not steps:
        raise PathError(f"an empty path names everything; {FORM}")
    if len(steps) > MOST_STEPS:
        raise PathError(f"the path has more than {MOST_STEPS} steps")
    return tuple(steps)


def written(path: Path) -> str:
    """The path in the form that `parse` reads."""
    return "".join(map(_written, path)).removeprefix(".")


def below(path: str, name: str) -> str:
    """The path of a member, both as `written` writes them."""
    return (path + _written(name)).removeprefix(".")


def covers(path: Path, place: tuple[str | int, ...], lengths: tuple[int, ...]) -> bool:
    """Whether the path names this place, or something around it. `lengths` has, for each step of the place, the length
    of the list or mapping that the step leads into."""
    return len(path) <= len(place) and all(map(_is_taken, path, place, lengths))


def _is_taken(step: Step, taken: str | int, length: int) -> bool:
    if isinstance(taken, str):
        return step == taken
    return step is EACH or (isinstance(step, int) and -length <= step < length and step % length == taken)


def _step(found: re.Match[str]) -> Step:
    if found["each"]:
        return EACH
    if found["item"]:
        return int(found["item"])
    if found["name"]:
        return found["name"]
    try:
        return str(json.loads(found["quoted"]))
    except ValueError as error:
        raise PathError(FORM) from error


def _written(step: Step) -> str:
    if isinstance(step, str):
        return f".{step}" if _PLAIN.fullmatch(step) else f"[{json.dumps(step, ensure_ascii=False)}]"
    return "[*]" if step is EACH else f"[{step}]"
