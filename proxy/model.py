"""Which deployment a call is for, and a body that says so."""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from .errors import ProxyError

Members = tuple[tuple[str, Any], ...]  # of a JSON object; objects in it are such tuples too, and all numbers floats

DECODER = json.JSONDecoder(object_pairs_hook=tuple, parse_int=float)  # int() refuses 4,300 digits
GAP = re.compile(r"[ \t\r\n,:]*")  # what stands between the members of an object, and in them


class Asked(NamedTuple):
    """The model asked for and its deployment, the body that names the deployment to Azure, the members of that body."""

    model: str | None
    deployment: str | None
    body: bytes
    members: Members


def choose_deployment(
    body: bytes, deployments: Mapping[str, str], required: bool, in_path: bool, asked_by_path: str | None = None
) -> Asked:
    """Reads a body, once.

    `deployments` maps model to deployment, the default first; it is taken where a model is `required` and none named.
    Only the value of `model` is ever rewritten, and not where the deployment is part of Azure's path. What the caller's
    path asks for goes before what the body names, as it does in Azure. Raises ProxyError.
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
    named = [value for name, value in members if name == "model"]
    if len(named) > 1 or not all(isinstance(value, str | None) for value in named):
        raise ProxyError("invalid_model", param="model")
    if "extra_query" in dict(members):  # LiteLLM puts a ?code= there
        raise ProxyError("invalid_extra_query", param="extra_query")
    if not named and not required:
        return Asked(None, None, body, members)
    if asked_by_path is not None:
        model, deployment = asked_by_path, deployment_by_either_name(asked_by_path, deployments)
    else:
        model = next((value for value in named if value is not None), next(iter(deployments), ""))
        deployment = deployment_of(model, deployments)
    if deployment not in named and not in_path:
        body = with_model(text, deployment, replace=bool(named), alone=not members).encode()
    return Asked(model, deployment, body, members)


def with_model(text: str, deployment: str, replace: bool, alone: bool) -> str:
    """A JSON object's text with its own `model` replaced, or added in front; every other character stays."""
    name, start = json.dumps(deployment), text.index("{") + 1
    at = start
    while replace:  # member by member: what is inside of a value may be large
        key, at = DECODER.raw_decode(text, after_gap(text, at))
        at = after_gap(text, at)
        end = DECODER.raw_decode(text, at)[1]
        if key == "model":
            return text[:at] + name + text[end:]
        at = end
    return text[:start] + f'"model":{name}' + "," * (not alone) + text[start:]


def after_gap(text: str, at: int) -> int:
    found = GAP.match(text, at)
    return found.end() if found else at


def other_encoding(body: bytes) -> str:
    """What a body is in when it is not in plain UTF-8; "" when it is no text at all."""
    found = json.detect_encoding(body)
    if found == "utf-8-sig":
        return "it begins with a byte order mark (BOM): send it without"
    return f"it is in {found.upper()}" if found != "utf-8" else ""


def deployment_of(model: str, deployments: Mapping[str, str], param: str = "model") -> str:
    try:
        return deployments[model]
    except KeyError:
        raise ProxyError("model_not_found", model[:200], ", ".join(deployments), param=param) from None


def deployment_by_either_name(name: str, deployments: Mapping[str, str], param: str = "model") -> str:
    """A deployment by its model's name, as in a body, or by its own. Raises ProxyError."""
    if name in deployments.values() and name not in deployments:
        return name
    return deployment_of(name, deployments, param)
