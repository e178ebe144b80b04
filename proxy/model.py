"""Finds a call's deployment, and names it in the body."""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

from .errors import ProxyError
from .form import Form, Part, read_again

Members = tuple[tuple[str, Any], ...]  # of a JSON object; nested objects are such tuples too, and all numbers floats

DECODER = json.JSONDecoder(object_pairs_hook=tuple, parse_int=float)  # int() refuses 4,300 digits
GAP = re.compile(r"[ \t\r\n,:]*")  # between names and values of an object
TEXT_BYTES = 65_536  # of a form's text; a longer one is no option of a call


class Asked(NamedTuple):
    """The requested model, its deployment, the body for Azure, which names the deployment, and the body's members. Of a
    form, the members are its parts: texts, and None for a file."""

    model: str | None
    deployment: str | None
    body: bytes
    members: Members


def choose_deployment(
    body: bytes,
    deployments: Mapping[str, str],
    required: bool,
    in_path: bool,
    asked_by_path: str | None = None,
    has_default: bool = True,
) -> Asked:
    """Parses a body, once.

    `deployments` maps model to deployment. The first is the default for a call that needs a model (`required`) and
    names none, where the route `has_default`. Only the value of `model` is ever rewritten, and only where Azure's path
    does not name the deployment. A model in the caller's path wins over the body's, as in Azure. Raises ProxyError.
    """
    if not body and not required:
        return Asked(None, None, body, ())
    try:
        text = body.decode()
        members = DECODER.decode(text)
        if not isinstance(members, tuple):
            raise ValueError("it is something else")
    except (ValueError, RecursionError) as error:
        raise ProxyError("invalid_json", other_encoding(body) or error) from error
    found = [(name, value) for name, value in members if name.casefold() == "model"]  # .NET's readers ignore case
    named = [value for _, value in found]
    if len(named) > 1 or not all(name == "model" and isinstance(value, str | None) for name, value in found):
        raise ProxyError("invalid_model", param="model")
    if "extra_query" in dict(members):  # LiteLLM puts a ?code= there
        raise ProxyError("invalid_extra_query", param="extra_query")
    if not named and not required:
        return Asked(None, None, body, members)
    if asked_by_path is not None:
        model, deployment = asked_by_path, deployment_by_either_name(asked_by_path, deployments)
    else:
        default = next(iter(deployments), "") if has_default else None
        model, deployment = named_deployment(
            next((value for value in named if value is not None), default), deployments
        )
    if deployment not in named and not in_path:
        body = with_model(text, deployment, replace=bool(named), alone=not members).encode()
    return Asked(model, deployment, body, members)


def choose_in_form(
    form: Form, deployments: Mapping[str, str], in_path: bool, asked_by_path: str | None = None
) -> Asked:
    """As choose_deployment, for a form. Only the part `model` is ever rewritten. Raises ProxyError."""
    given = model_part(form)
    named = text_of(form, given) if given else None
    if asked_by_path is not None:
        model, deployment = asked_by_path, deployment_by_either_name(asked_by_path, deployments)
    else:
        model, deployment = named_deployment(named, deployments)
    names = (model, deployment) if in_path else (deployment,)
    fits = given.plain and named in names if given else in_path
    body = form.body if fits else with_model_part(form, given, deployment)
    return Asked(model, deployment, body, tuple((part.name, text_of(form, part)) for part in form.parts))


def model_part(form: Form) -> Part | None:
    """The part that names the model. Raises ProxyError for two, for a file, and for a name that some readers take for
    `model` as well: .NET ignores case, others take `model[]` for a list."""
    found = [part for part in form.parts if part.name.strip("[]").casefold() == "model"]
    if len(found) > 1 or any(part.is_file or part.name != "model" for part in found):
        raise ProxyError("invalid_model", param="model")
    return found[0] if found else None


def text_of(form: Form, part: Part) -> str | None:
    """None for a file, and for a text that is no option of a call."""
    if part.is_file or part.end - part.content > TEXT_BYTES:
        return None
    return form.body[part.content : part.end].decode("utf-8", "replace")


def with_model_part(form: Form, given: Part | None, deployment: str) -> bytes:
    """The form with its `model` replaced, or added in front. Every other byte stays."""
    part = b'Content-Disposition: form-data; name="model"\r\n\r\n' + deployment.encode()
    if given:
        return b"".join((memoryview(form.body)[: given.start], part, memoryview(form.body)[given.end :]))
    return b"".join((b"--", form.boundary, b"\r\n", part, b"\r\n", form.body.removeprefix(b"\r\n")))


def with_model(text: str, deployment: str, replace: bool, alone: bool) -> str:
    """A JSON object's text with its `model` replaced, or added in front. Every other character stays."""
    name, start = json.dumps(deployment), text.index("{") + 1
    at = start
    while replace:  # member by member: a value may be large, and hold a `model` of its own
        key, at = DECODER.raw_decode(text, after_gap(text, at))
        at = after_gap(text, at)
        end = DECODER.raw_decode(text, at)[1]
        if key == "model":
            return text[:at] + name + text[end:]
        at = end
    return text[:start] + f'"model":{name}' + "," * (not alone) + text[start:]


def renamed(body: bytes, deployment: str) -> bytes:
    """A body from `choose_deployment`, for another deployment than the one that it names."""
    if form := read_again(body):
        return with_model_part(form, model_part(form), deployment)
    return with_model(body.decode(), deployment, replace=True, alone=False).encode()


def after_gap(text: str, at: int) -> int:
    found = GAP.match(text, at)
    return found.end() if found else at


def other_encoding(body: bytes) -> str:
    """Says which encoding a body has in the place of plain UTF-8; "" for none that is known."""
    found = json.detect_encoding(body)
    if found == "utf-8-sig":
        return "it begins with a byte order mark (BOM): send it without"
    return f"it is in {found.upper()}" if found != "utf-8" else ""


def named_deployment(model: str | None, deployments: Mapping[str, str]) -> tuple[str, str]:
    """The model and its deployment. Raises ProxyError; None stands for no model."""
    if model is None:
        raise ProxyError("missing_model", ", ".join(deployments), param="model")
    return model, deployment_of(model, deployments)


def deployment_of(model: str, deployments: Mapping[str, str], param: str = "model") -> str:
    try:
        return deployments[model]
    except KeyError:
        raise ProxyError("model_not_found", model[:200], ", ".join(deployments), param=param) from None


def model_in_path(given: str, deployments: Mapping[str, str]) -> str:
    """The model's name. Azure's host leaves a %2F in a path as it is."""
    return given if given in deployments else unquote(given)


def deployment_by_either_name(name: str, deployments: Mapping[str, str], param: str = "model") -> str:
    """A deployment by its model's name, as in a body, or by its own name. Raises ProxyError."""
    if name in deployments.values() and name not in deployments:
        return name
    return deployment_of(name, deployments, param)
