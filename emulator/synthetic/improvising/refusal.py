"""Refuses the requests that Azure refuses before a model answers, in Azure's words."""

from collections.abc import Iterable, Mapping
from typing import Any

from ...azure.errors import ERRORS
from ...azure.question import Question
from ...tape.canonical import parse_shared
from ...tape.form import is_form
from ...tape.interaction import Response
from .. import embeddings, errors
from ..asked import Asked
from ..text import compact

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
NO_OBJECT = "We could not parse the JSON body of your request."
OPERATIONS = {
    "chat/completions": "chatCompletion",
    **dict.fromkeys(("responses", "responses/compact", "responses/input_tokens"), "responses"),
}


class Refused(Exception):
    """Azure's message, the field that it is about, its code and its status."""

    def __init__(self, message: str, param: str | None, code: str | None, status: int = 400) -> None:
        super().__init__(message)
        self.message, self.param, self.code, self.status = message, param, code, status

    def response(self, asked: Asked) -> Response:
        return errors.refused(asked, self.message, self.param, self.code, self.status)


def refusal(question: Question, asked: Asked) -> Response | None:
    """Azure's answer to a request that no model gets to see; None for any other."""
    try:
        if question.body and not _is_readable(question.body):
            raise Refused(NO_OBJECT, None, None)
        check(asked)
    except Refused as refused:
        return refused.response(asked)
    return unsupported(asked)


def check(asked: Asked) -> None:
    """Raises Refused for a request that no model can answer."""
    body, required = asked.body, REQUIRED.get(asked.operation, "")
    if required and not body.get(required):
        raise missing(required)
    shapes = _MEDIA if asked.operation.startswith(MEDIA) else _READ
    for name in sorted(shapes.keys() & body.keys()):
        _check_shape(body[name], shapes[name], name)
    if asked.operation.startswith("responses") and isinstance(items := body.get("input"), list):
        _check_shape(items, _ITEMS, "input")
        for at, item in enumerate(items):
            if item.get("type", "message") == "message" and not ({"role", "content"} <= item.keys()):
                raise missing(f"input[{at}].content" if "role" in item else f"input[{at}].role")
    if (form := (body.get("text") or {}).get("format")) and not form.get("type"):
        raise missing("text.format.type")
    for at, message in enumerate(body.get("messages", ())):
        if not message.get("role"):
            raise missing(f"messages[{at}].role")
    for name, (low, high) in BOUNDS.items():
        if name in body:
            _check_bounds(name, body[name], low, high)
    if asked.operation in OPERATIONS and "embedding" in asked.deployment:
        message = NOT_FOR_EMBEDDINGS.format(OPERATIONS[asked.operation], asked.deployment)
        raise Refused(message, None, "OperationNotSupported")
    if asked.operation == "embeddings":
        try:
            embeddings.texts_of(body["input"])
        except TypeError as error:
            raise Refused(f"Invalid type for 'input': {error}.", "input", "invalid_type") from error


def _is_readable(body: bytes) -> bool:
    """A form, or an object whose texts are texts: half of a surrogate pair, which JSON can spell, is none."""
    parsed = parse_shared(body)
    if not isinstance(parsed, dict):
        return is_form(parsed)
    try:
        return b"\\u" not in body or bool(compact(parsed))
    except UnicodeEncodeError:
        return False


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


Shape = dict[type, Any]  # by the type of a value: the shape of each item, those of fields by name, or None


def _read(shape: Any) -> Shape:
    """The shape by the types of values, which makes a look-up of each check."""
    if isinstance(shape, tuple):
        return {kind: inner for one in shape for kind, inner in _read(one).items()}
    if isinstance(shape, list):
        return {list: _read(shape[0])}
    if isinstance(shape, dict):
        return {dict: {name: _read(inner) for name, inner in shape.items()}}
    return {float: None, int: None} if shape is float else {shape: None}


_READ = {name: _read(shape) for name, shape in SHAPES.items()}
_MEDIA = {name: _read(shape) for name, shape in MEDIA_SHAPES.items()}
_ITEMS = _read([ITEM])


def _check_shape(value: Any, shape: Shape, path: str) -> None:
    """Raises Refused where the value has another shape. A null member passes, a null item of an array does not."""
    kind = type(value)
    if kind not in shape:
        expected = " or ".join(NAMES[one] for one in shape if not (one is int and float in shape))
        got = NAMES.get(kind, "null")
        raise Refused(f"Invalid type for '{path}': expected {expected}, but got {got} instead.", path, "invalid_type")
    inner = shape[kind]
    if kind is list:
        for at, item in enumerate(value):
            _check_shape(item, inner, f"{path}[{at}]")
    elif kind is dict and inner:
        for name in inner:
            if value.get(name) is not None:
                _check_shape(value[name], inner[name], f"{path}.{name}")


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
