"""Refuses the requests that Azure refuses before a model answers, in Azure's words."""

from collections.abc import Iterable, Mapping
from typing import Any

from ...azure.errors import ERRORS
from ...tape.interaction import Response
from .. import errors
from ..asked import Asked

TEXT_OR_PARTS = (str, [dict])
FUNCTION = {"name": str, "description": str, "parameters": dict}
SHAPES: dict[str, Any] = {  # field: its type, [of each item], {of some fields}, or one of (several)
    "background": bool,
    "dimensions": int,
    "encoding_format": str,
    "function_call": (str, {"name": str}),
    "functions": [FUNCTION],
    "include": [str],
    "input": (str, [(str, int, dict, [int])]),
    "instructions": (str, [dict]),
    "logprobs": bool,
    "max_completion_tokens": int,
    "max_output_tokens": int,
    "max_tokens": int,
    "max_tool_calls": int,
    "messages": [
        {
            "role": str,
            "content": TEXT_OR_PARTS,
            "tool_calls": [{"function": {"name": str}, "custom": {"name": str}}],
            "function_call": {"name": str},
        }
    ],
    "metadata": dict,
    "model": str,
    "n": int,
    "parallel_tool_calls": bool,
    "previous_response_id": str,
    "prompt_cache_key": str,
    "reasoning": {"effort": str, "summary": str},
    "reasoning_effort": str,
    "safety_identifier": str,
    "response_format": {"type": str, "json_schema": {"name": str, "schema": dict}},
    "stop": (str, [str]),
    "store": bool,
    "stream": bool,
    "stream_options": {"include_usage": bool, "include_obfuscation": bool},
    "temperature": float,
    "text": {"format": {"type": str, "name": str, "schema": dict}, "verbosity": str},
    "tool_choice": (
        str,
        {
            "type": str,
            "mode": str,
            "name": str,
            "function": {"name": str},
            "tools": [dict],
            "allowed_tools": {"mode": str, "tools": [dict]},
        },
    ),
    "tools": [{"type": str, "name": str, "function": FUNCTION, "parameters": dict}],
    "top_logprobs": int,
    "top_p": float,
    "truncation": str,
    "user": str,
}
MEDIA_SHAPES: dict[str, Any] = {  # of audio and images; what a form says is read already (upload.py)
    "background": str,
    "include": [str],
    "input": str,
    "language": str,
    "model": str,
    "n": int,
    "output_compression": int,
    "output_format": str,
    "partial_images": int,
    "prompt": str,
    "quality": str,
    "response_format": str,
    "size": str,
    "speed": float,
    "stream": bool,
    "stream_format": str,
    "temperature": float,
    "timestamp_granularities": [str],
    "voice": (str, {"id": str}),
}
MEDIA = ("audio/", "images/")  # the beginnings of their operations
ITEM = {"type": str, "role": str, "content": TEXT_OR_PARTS, "name": str}  # of the array in a response's input
REQUIRED = {
    "chat/completions": "messages",
    "embeddings": "input",
    "audio/speech": "input",
    "audio/transcriptions": "file",
    "audio/translations": "file",
    "images/generations": "prompt",
    "images/edits": "prompt",
}
BOUNDS = {  # lowest and highest
    "dimensions": (1, 3_072),
    "max_completion_tokens": (1, None),
    "max_output_tokens": (16, None),
    "max_tokens": (1, None),
    "n": (1, 128),
    "top_logprobs": (0, 20),
}
NAMES: dict[Any, str] = {
    bool: "a boolean",
    dict: "an object",
    float: "a number",
    int: "an integer",
    list: "an array",
    str: "a string",
}
NOT_FOR_EMBEDDINGS = (
    "The {} operation does not work with the specified model, {}. Please choose different model and try again. You can "
    "learn more about which models can be used with each operation here: https://go.microsoft.com/fwlink/?linkid=2197993."
)
OPERATIONS = {"chat/completions": "chatCompletion", "responses": "responses"}


class Refused(Exception):
    """Azure's message, the field that it is about, its code and its status."""

    def __init__(self, message: str, param: str | None, code: str | None, status: int = 400) -> None:
        super().__init__(message)
        self.message, self.param, self.code, self.status = message, param, code, status

    def response(self, asked: Asked) -> Response:
        return errors.refused(asked, self.message, self.param, self.code, self.status)


def check(asked: Asked) -> None:
    """Raises Refused for a request that no model can answer."""
    body, required = asked.body, REQUIRED.get(asked.operation, "")
    if required and not body.get(required):
        raise missing(required)
    for name, shape in (MEDIA_SHAPES if asked.operation.startswith(MEDIA) else SHAPES).items():
        if name in body:
            _check_shape(body[name], shape, name)
    if asked.operation == "responses" and isinstance(items := body.get("input"), list):
        _check_shape(items, [ITEM], "input")
        for at, item in enumerate(items):
            if item.get("type", "message") == "message" and not ({"role", "content"} <= item.keys()):
                raise missing(f"input[{at}].content" if "role" in item else f"input[{at}].role")
    for at, message in enumerate(body.get("messages", ())):
        if not message.get("role"):
            raise missing(f"messages[{at}].role")
    for name, (low, high) in BOUNDS.items():
        if name in body:
            _check_bounds(name, body[name], low, high)
    if asked.operation in OPERATIONS and "embedding" in asked.deployment:
        message = NOT_FOR_EMBEDDINGS.format(OPERATIONS[asked.operation], asked.deployment)
        raise Refused(message, None, "OperationNotSupported")


def unsupported(asked: Asked) -> Response | None:
    """Azure's recorded answer to `max_tokens` for a reasoning model; None for any other request."""
    if not asked.reasons or asked.operation != "chat/completions" or "max_tokens" not in asked.body:
        return None
    error, facts = ERRORS["unsupported_parameter"], {"deployment": asked.deployment}
    return Response(error.status, "Bad Request", tuple(error.headers_for(facts)), error.body_for(facts))


def _check_bounds(name: str, value: int, low: int, high: int | None) -> None:
    if value < low:
        expected, code = f"below minimum value. Expected a value >= {low}", "integer_below_min_value"
    elif high is not None and value > high:
        expected, code = f"above maximum value. Expected a value <= {high}", "integer_above_max_value"
    else:
        return
    raise Refused(f"Invalid '{name}': integer {expected}, but got {value} instead.", name, code)


def _check_shape(value: Any, shape: Any, path: str) -> None:
    """Raises Refused where the value has another shape. A null member passes, a null item of an array does not."""
    shapes = shape if isinstance(shape, tuple) else (shape,)
    fitting = [one for one in shapes if type(value) is _type(one) or (one is float and type(value) is int)]
    if not fitting:
        expected = " or ".join(NAMES[_type(one)] for one in shapes)
        got = NAMES.get(type(value), "null")
        raise Refused(f"Invalid type for '{path}': expected {expected}, but got {got} instead.", path, "invalid_type")
    for at, item in enumerate(value) if isinstance(fitting[0], list) else ():
        _check_shape(item, fitting[0][0], f"{path}[{at}]")
    for name, inner in fitting[0].items() if isinstance(fitting[0], dict) else ():
        if value.get(name) is not None:
            _check_shape(value[name], inner, f"{path}.{name}")


def _type(shape: Any) -> Any:
    return shape if isinstance(shape, type) else type(shape)


def missing(path: str) -> Refused:
    return Refused(f"Missing required parameter: '{path}'.", path, "missing_required_parameter")


def require_one_of(name: str, value: Any, allowed: Iterable[str]) -> None:
    """Raises Refused."""
    *some, last = (repr(one) for one in allowed)
    if repr(value) not in (*some, last):
        raise Refused(
            f"Invalid value: {value!r}. Supported values are: {', '.join(some)}, and {last}.", name, "invalid_value"
        )


def require_within(body: Mapping[str, Any], name: str, low: int, high: int) -> None:
    """Raises Refused for an integer beyond these bounds."""
    if name in body:
        _check_bounds(name, body[name], low, high)
