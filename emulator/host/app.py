"""The function app in a folder: its module, its one `FunctionApp` and its route prefix."""

import importlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from azure.functions import FunctionRegister

from ..failure import Failure
from ..loading import loading

MODULE = "function_app"
DEFAULT_ROUTE_PREFIX = "api"

NONE_IN_AZURE = "in Azure no function would be found, and nothing would say why"
"""Measured: the Functions host does this with an app that the worker can't import or load."""


class AppError(Failure):
    """The app can't be served; the message is one line that says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(" ".join(reason.split()))


@dataclass(frozen=True)
class App:
    """An imported function app.

    `routes_below` is host.json's `extensions.http.routePrefix`, as it stands; empty for no prefix.
    `extension` is the module of the imported http extension, with its `WebApp` and `WebServer`. `request_type` is the
    type that the extension has registered for the requests of handlers.
    """

    folder: Path
    register: FunctionRegister
    routes_below: str
    extension: Any
    request_type: type


@contextmanager
def imported(folder: Path) -> Iterator[App]:
    """Imports the app in `folder`. `function_app` and the modules beside it stay importable until the block ends.

    Raises AppError when the file is missing or fails to import, when it has no app or two, and when the http-fastapi
    extension is missing.
    """
    folder = folder.resolve()
    script = folder / f"{MODULE}.py"
    if not script.is_file():
        raise AppError(f"no {MODULE}.py in {folder}")
    sys.modules.pop(MODULE, None)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        with refusing(script), loading():
            register = _only_app(importlib.import_module(MODULE))
            extension, request_type = _extension()
        app = App(folder, register, _route_prefix(folder / "host.json"), extension, request_type)
        yield app
    finally:
        with suppress(ValueError):
            sys.path.remove(str(folder))
        sys.modules.pop(MODULE, None)


@contextmanager
def refusing(file: Path) -> Iterator[None]:
    """Turns every error while a file of the app is read into an AppError that names the file."""
    try:
        yield
    except AppError as error:
        raise AppError(f"{file}: {error}") from error
    except (Exception, SystemExit) as error:
        in_azure = f"; {NONE_IN_AZURE}" if file.suffix == ".py" else ""
        raise AppError(f"{file}: {type(error).__name__}: {error}{in_azure}") from error


def _only_app(module: ModuleType) -> FunctionRegister:
    """The worker counts names, not objects. It refuses one app under two names, and this host does the same."""
    apps = [value for value in vars(module).values() if isinstance(value, FunctionRegister)]
    if len(apps) != 1:
        raise AppError(f"expected one function app at the top level, found {len(apps)}")
    return apps[0]


def _route_prefix(host_json: Path) -> str:
    with refusing(host_json):
        settings = json.loads(host_json.read_text(encoding="utf-8-sig")) if host_json.is_file() else {}
        prefix: str = settings.get("extensions", {}).get("http", {}).get("routePrefix", DEFAULT_ROUTE_PREFIX)
        return prefix


def _extension() -> tuple[ModuleType, type]:
    """The web extension that registered itself while the app was imported, and its request type."""
    base = sys.modules.get("azurefunctions.extensions.base")
    if base is None or not base.ModuleTrackerMeta.module_imported():
        raise AppError(
            "it does not import azurefunctions.extensions.http.fastapi, and no other kind of app is served here"
        )
    return importlib.import_module(base.ModuleTrackerMeta.get_module()), base.RequestTrackerMeta.get_request_type()
