"""What Microsoft's worker leaves open, closed.

A call reaches the worker in two halves with one id: an invocation from the host, and the HTTP request, which the host
forwards to a web server inside the worker. Where the second half never comes, the worker waits for ever, and the host
restarts it after `functionTimeout`, with every stream on it. Each cure below was run in Microsoft's host (4.1037.0,
Python worker 4.34.0), and each stands on a name that Microsoft does not promise. So each name is looked for first:
where a release has moved it, the cure is left out, one line says so, and the function goes on without it.

Microsoft knows of the leak (azure-functions-python-worker #1877): when its FastAPI runtime comes, look at this again.
"""

import asyncio
import functools
import inspect
import sys
from collections import deque
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

# The worker library of Python 3.13 and later, and the worker of Python 3.11 and 3.12.
HALVES = ("azure_functions_runtime.http_v2", "azure_functions_worker.http_v2")
SERVER = "azurefunctions.extensions.http.fastapi.web"
CONVERTORS = "starlette.convertors"

HALF_SECONDS = 60.0  # a body with Content-Length is read before, and a chunked one begins with its head
MOST_WAITING = 1_000  # calls whose request has not come: it takes milliseconds, and anybody can begin such a call
FORGET_SECONDS = 10.0  # the host asks a GET again whose answer it could not read; without the reference that one hangs
SWEEP_SECONDS = 0.1  # references that are due are dropped together
SERVER_OPTIONS: Mapping[str, Any] = {
    "timeout_keep_alive": 75,  # the host keeps idle connections for 60 s; a POST that meets the close is never answered
    "access_log": False,  # it writes the path and `?code=` of every call to Application Insights
    "ws": "none",  # a WebSocket upgrade would never reach the function
}
EVERY_PATH = "(?s:.*)"
CURED = "cured_by_proxy_worker"
TRUE = ("1", "true", "t", "yes", "y")  # as the worker reads a setting


def require_indexing(environ: Mapping[str, str], version: tuple[int, ...] = sys.version_info[:2]) -> None:
    """Raises RuntimeError where the worker would take the app and answer no call, and prints why: what an import raises
    is not shown. The worker of Python 3.11 and 3.12 starts its web server with this setting only (its dispatcher.py).
    """
    if version < (3, 13) and environ.get("PYTHON_ENABLE_INIT_INDEXING", "").strip().lower() not in TRUE:
        told = "Set PYTHON_ENABLE_INIT_INDEXING to 1: on Python 3.12 and older no call is answered without it."
        print(told, flush=True)
        raise RuntimeError(told)


def cure(half_seconds: float = HALF_SECONDS, forget_seconds: float = FORGET_SECONDS) -> None:
    """Applies every cure that finds its place, once for each worker. Prints one line for each that does not, and
    nothing where no worker of Microsoft's is loaded."""
    halves = next((sys.modules[name] for name in HALVES if name in sys.modules), None)
    if halves is None or hasattr(halves, CURED):
        return
    setattr(halves, CURED, True)
    cures: Mapping[str, Callable[[], None]] = {
        "end_waiting": lambda: end_waiting(halves.http_coordinator, half_seconds, forget_seconds),
        "set_server_options": lambda: set_server_options(sys.modules[SERVER]),
        "match_every_path": lambda: match_every_path(sys.modules[CONVERTORS]),
    }
    for name, apply in cures.items():
        try:
            apply()
        except (AttributeError, KeyError, TypeError, ValueError) as moved:
            print(f"Microsoft's worker has changed, see {name} in proxy/worker.py: {moved!r}", flush=True)


def end_waiting(coordinator: Any, half_seconds: float, forget_seconds: float) -> None:
    """Neither half of a call waits for the other longer than `half_seconds`; the host answers 500. Without an end an
    invocation waits for ever after a header that is not ASCII, a control character in a header, or a caller who left at
    once; and a request whose invocation was given up, or that the host sends again, waits as long. Of more than
    MOST_WAITING invocations the oldest ends now, so that a flood of such calls fills no memory.

    What the worker remembers of a call (2.2 KB, for ever) is dropped `forget_seconds` after its answer."""
    take, answer, pop = (
        getattr(coordinator, name)
        for name in ("get_http_request_async", "await_http_response_async", "_pop_http_response")
    )
    forget = Forgetting(coordinator._context_references, forget_seconds)
    if not (inspect.iscoroutinefunction(take) and inspect.iscoroutinefunction(answer)):
        raise TypeError(f"{take!r} or {answer!r} is not awaited")
    invocations: dict[str, asyncio.Timeout] = {}  # that wait for their requests
    requests: dict[str, asyncio.Timeout] = {}  # that no invocation has taken
    taken: set[str] = set()  # before they began to wait for their answer

    @functools.wraps(take)
    async def take_in_time(invocation_id: str) -> Any:
        try:
            async with asyncio.timeout(half_seconds) as limit:
                invocations[invocation_id] = limit
                if len(invocations) > MOST_WAITING:
                    invocations.pop(next(iter(invocations))).reschedule(asyncio.get_running_loop().time())
                request = await take(invocation_id)
        except TimeoutError:
            forget(invocation_id)  # soon, not now: the worker still answers through it
            raise TimeoutError(f"the HTTP request of this call did not come within {half_seconds:g} s") from None
        finally:
            invocations.pop(invocation_id, None)
        if end := requests.pop(invocation_id, None):
            end.reschedule(None)  # the function may take its time
        else:
            taken.add(invocation_id)
        return request

    @functools.wraps(answer)
    async def answer_if_taken(invocation_id: str) -> Any:
        try:
            async with asyncio.timeout(None if invocation_id in taken else half_seconds) as end:
                requests[invocation_id] = end
                return await answer(invocation_id)
        except TimeoutError:
            forget(invocation_id)
            raise TimeoutError(f"no invocation took this request within {half_seconds:g} s") from None
        finally:
            requests.pop(invocation_id, None)
            taken.discard(invocation_id)

    @functools.wraps(pop)
    def pop_and_forget(invocation_id: str) -> Any:
        forget(invocation_id)
        return pop(invocation_id)

    coordinator.get_http_request_async, coordinator._pop_http_response = take_in_time, pop_and_forget
    coordinator.await_http_response_async = answer_if_taken


class Forgetting:
    """Drops what is remembered under an id, `seconds` after it was told to."""

    def __init__(self, remembered: Any, seconds: float) -> None:
        self.drop, self.seconds = remembered.pop, seconds
        self.due: deque[tuple[float, str]] = deque()

    def __call__(self, id_: str) -> None:
        loop = asyncio.get_running_loop()
        self.due.append((loop.time() + self.seconds, id_))
        if len(self.due) == 1:
            loop.call_later(self.seconds, self.sweep)

    def sweep(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        while self.due and self.due[0][0] <= now:
            self.drop(self.due.popleft()[1], None)
        if self.due:
            loop.call_at(max(self.due[0][0], now + SWEEP_SECONDS), self.sweep)


def set_server_options(extension: Any) -> None:
    """For the web server inside the worker, which the extension makes with uvicorn's defaults."""
    made = extension.uvicorn
    if unknown := SERVER_OPTIONS.keys() - inspect.signature(made.Config).parameters.keys():
        raise TypeError(f"uvicorn has no option {', '.join(sorted(unknown))}")
    extension.uvicorn = SimpleNamespace(Config=functools.partial(made.Config, **SERVER_OPTIONS), Server=made.Server)


def match_every_path(convertors: Any) -> None:
    """The extension's one route is `/{path:path}`, whose pattern ends at a line break: FastAPI answers 404, and the
    function never hears of the call."""
    if convertors.PathConvertor.regex not in (".*", EVERY_PATH):
        raise ValueError(f"the pattern of a path is {convertors.PathConvertor.regex!r}")
    convertors.PathConvertor.regex = EVERY_PATH
