"""The signatures of handlers that the worker loads.

Microsoft's worker library makes each of these refusals, and checks in the same order.
"""

import inspect
import sys
import typing
from collections.abc import Callable
from typing import Any

from ..app import NONE_IN_AZURE, AppError
from ..routing.function import HttpFunction


def check_signature(function: HttpFunction, handler: Callable[..., Any]) -> None:
    """Raises AppError for a parameter without a binding, and for a type that is not the http extension's.

    A parameter needs no annotation. A union is always refused, even one of accepted types.
    """
    base = sys.modules["azurefunctions.extensions.base"]
    parameters = set(inspect.signature(handler).parameters)
    annotations = typing.get_type_hints(handler)
    bound = {function.request_parameter}
    if "context" in parameters - bound:
        _check_context(function, annotations.get("context"))
        bound.add("context")
    if unbound := parameters - bound:
        raise _refusal(function, f"nothing is bound to the parameters {', '.join(sorted(unbound))}")
    if missing := {function.request_parameter} - parameters:
        raise _refusal(function, f"it has no parameter {', '.join(missing)}, which its route binds")
    for where, check in (
        (function.request_parameter, base.RequestTrackerMeta.check_type),
        ("return", base.ResponseTrackerMeta.check_type),
    ):
        if where in annotations and not check(annotations[where]):
            raise _refusal(function, f"the type of {where!r}, {annotations[where]!r}, is not the http extension's")


def _check_context(function: HttpFunction, annotation: Any) -> None:
    if annotation is not None and getattr(annotation, "__name__", "") != "Context":
        raise _refusal(function, f"'context' must be an azure.functions.Context, not {annotation!r}")


def _refusal(function: HttpFunction, reason: str) -> AppError:
    return AppError(f"cannot load the function {function.name}: {reason}; {NONE_IN_AZURE}")
