"""What a request says, in JSON or in a form."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ..tape.canonical import parse_shared
from ..tape.form import LISTED, is_form, parts_of, text_of


class Upload(NamedTuple):
    """A file of a form. `filename` is "" where the client gave none."""

    filename: str
    data: bytes


def _whole(text: str) -> Any:
    return int(text) if text.removeprefix("-").isdecimal() and len(text) < 10 else text


def _number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text


def _truth(text: str) -> Any:
    return {"true": True, "false": False}.get(text, text)


READ: Mapping[str, Callable[[str], Any]] = {  # the fields of forms that are no texts
    "n": _whole,
    "output_compression": _whole,
    "partial_images": _whole,
    "stream": _truth,
    "temperature": _number,
}


def told(body: bytes) -> Any:
    """The JSON of a request, or its bytes. Of a form the fields by name: without `[]`, which makes a list; numbers and
    truths where they can be read; files as Uploads."""
    if not is_form(parsed := parse_shared(body)):
        return parsed
    fields = dict[str, Any]()
    for part in parts_of(body):
        name, text = part.name.removesuffix(LISTED), text_of(body, part)
        value = Upload(part.filename or "", body[part.start : part.end]) if text is None else READ.get(name, str)(text)
        if part.name.endswith(LISTED) or name in fields:
            earlier = fields.get(name, [])
            fields[name] = [*(earlier if isinstance(earlier, list) else [earlier]), value]
        else:
            fields[name] = value
    return fields
