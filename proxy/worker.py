"""Cures for gaps in Microsoft's worker.

A call reaches the worker in two halves with one id: an invocation from the host, and the HTTP request, which the host
forwards to a web server inside the worker. Where the second half never comes, the worker waits for ever, and the host
restarts it after `functionTimeout`, with every stream on it. Each cure below was run in Microsoft's host (4.1037.0,
Python worker 4.34.0). Each uses a name that Microsoft does not promise, so each checks the name first. Where a release
has moved the name, the function goes on without the cure and prints one line.

Microsoft knows of the leak (azure-functions-python-worker #1877). When its FastAPI runtime comes, check this again.
"""

import asyncio
import functools
import inspect
import sys
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

# The worker library of Python 3.13 and later, and the worker of Python 3.11 and 3.12.
HALVES = ("azure_functions_runtime.http_v2", "azure_functions_worker.http_v2")
SERVER = "azurefunctions.extensions.http.fastapi.web"
CONVERTORS = "starlette.convertors"

HALF_SECONDS = 60.0  # the host reads a body with Content-Length first, and forwards a chunked one's head at once
MOST_WAITING = 1_000  # calls without their request: it takes milliseconds, and anybody can begin such a call
FORGET_SECONDS = 10.0
REPEATED = 2_000  # calls; the host repeats a GET whose answer it could not read, and does so at once
SERVER_OPTIONS: Mapping[str, Any] = {
    "timeout_keep_alive": 75,  # the host keeps idle connections for 60 s; a POST that meets the close is never answered
    "access_log": False,  # it writes the path and `?code=` of every call to Application Insights
    "ws": "none",  # else a WebSocket upgrade never reaches the function
}
EVERY_PATH = "(?s:.*)"
CURED = "cured_by_proxy_worker"
TRUE = ("1", "true", "t", "yes", "y")  # the worker's own list


def require_indexing(environ: Mapping[str, str], version: tuple[int, ...] = sys.version_info[:2]) -> None:
    """Raises RuntimeError where the worker would take the app and answer no call. Prints why: nobody sees what an
    import raises. The worker of Python 3.11 and 3.12 starts its web server with this setting only (its dispatcher.py).
    """
    if version < (3, 13) and environ.get("PYTHON_ENABLE_INIT_INDEXING", "").strip().lower() not in TRUE:
        told = "Set PYTHON_ENABLE_INIT_INDEXING to 1: on Python 3.12 and older no call is answered without it."
        print(told, flush=True)
        raise RuntimeError(told)


def cure(half_seconds: float = HALF_SECONDS, forget_seconds: float = FORGET_SECONDS) -> None:
    """Applies every cure whose names exist, once for each worker. Prints one line for each other cure, and nothing
    where no worker of Microsoft's is loaded."""
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
    """Neither half of a call waits for the other longer than `half_seconds`; then the host answers 500. Uncured, an
    invocation waits for ever after a header that is not ASCII, a control character in a header, or a caller who left at
    once. A request waits as long when its invocation was given up, or when the host sends it again. Above MOST_WAITING
    invocations the oldest ends at once, so that a flood of such calls fills no memory.

    The worker remembers 2.2 KB of each call for ever. The cure drops them with the answer, or `forget_seconds` after it
    gave a call up. It keeps the ids that were answered last, because a request that is repeated after its answer would
    wait for ever."""
    take, answer, pop = (
        getattr(coordinator, name)
        for name in ("get_http_request_async", "await_http_response_async", "_pop_http_response")
    )
    remembered = coordinator._context_references
    answered = Recent(REPEATED)
    if not (inspect.iscoroutinefunction(take) and inspect.iscoroutinefunction(answer)):
        raise TypeError(f"{take!r} or {answer!r} is not awaited")
    invocations: dict[str, asyncio.Timeout] = {}  # invocations that wait for their request
    requests: dict[str, asyncio.Timeout] = {}  # requests that no invocation has taken
    taken: set[str] = set()  # requests taken before they waited for their answer

    def forget_later(invocation_id: str) -> None:
        """The worker still needs the reference to answer."""
        asyncio.get_running_loop().call_later(forget_seconds, remembered.pop, invocation_id, None)

    async def taken_in_time(invocation_id: str) -> Any:
        try:
            async with asyncio.timeout(half_seconds) as limit:
                invocations[invocation_id] = limit
                if len(invocations) > MOST_WAITING:
                    invocations.pop(next(iter(invocations))).reschedule(asyncio.get_running_loop().time())
                return await take(invocation_id)
        except TimeoutError:
            forget_later(invocation_id)
            raise TimeoutError(f"the HTTP request of this call did not come within {half_seconds:g} s") from None
        finally:
            invocations.pop(invocation_id, None)

    @functools.wraps(take)
    async def take_in_time(invocation_id: str) -> Any:
        come = getattr(remembered.get(invocation_id), "http_request_available_event", None)
        waits = come is None or not come.is_set()
        request = await (taken_in_time if waits else take)(invocation_id)  # a limit costs more than the rest
        if end := requests.pop(invocation_id, None):
            end.reschedule(None)  # the function itself may take any time
        else:
            taken.add(invocation_id)
        return request

    @functools.wraps(answer)
    async def answer_if_taken(invocation_id: str) -> Any:
        if invocation_id in answered:
            remembered.pop(invocation_id, None)  # the repeated request has made it anew
            raise ValueError(f"this request was answered before: {invocation_id}")
        try:
            if invocation_id in taken:
                return await answer(invocation_id)
            async with asyncio.timeout(half_seconds) as end:
                requests[invocation_id] = end
                return await answer(invocation_id)
        except TimeoutError:
            forget_later(invocation_id)
            raise TimeoutError(f"no invocation took this request within {half_seconds:g} s") from None
        finally:
            requests.pop(invocation_id, None)
            taken.discard(invocation_id)

    @functools.wraps(pop)
    def pop_and_forget(invocation_id: str) -> Any:
        try:
            return pop(invocation_id)
        finally:
            remembered.pop(invocation_id, None)
            answered.add(invocation_id)

    coordinator.get_http_request_async, coordinator._pop_http_response = take_in_time, pop_and_forget
    coordinator.await_http_response_async = answer_if_taken


class Recent:
    """The last `few` ids that were added, and at most as many before. Two sets take turns, so that an id costs nothing
    but its place in one."""

    def __init__(self, few: int) -> None:
        self.few = few
        self.new, self.old = set[str](), set[str]()

    def __contains__(self, id_: str) -> bool:
        return id_ in self.new or id_ in self.old

    def add(self, id_: str) -> None:
        if len(self.new) >= self.few:
            self.old, self.new = self.new, set()
        self.new.add(id_)


def set_server_options(extension: Any) -> None:
    """Sets SERVER_OPTIONS for the web server inside the worker, which the extension starts with uvicorn's defaults."""
    made = extension.uvicorn
    if unknown := SERVER_OPTIONS.keys() - inspect.signature(made.Config).parameters.keys():
        raise TypeError(f"uvicorn has no option {', '.join(sorted(unknown))}")
    extension.uvicorn = SimpleNamespace(Config=functools.partial(made.Config, **SERVER_OPTIONS), Server=made.Server)


def match_every_path(convertors: Any) -> None:
    """Lets the extension's one route, `/{path:path}`, match every path. Its own pattern ends at a line break: FastAPI
    answers 404, and the function never hears of the call."""
    if convertors.PathConvertor.regex not in (".*", EVERY_PATH):
        raise ValueError(f"the pattern of a path is {convertors.PathConvertor.regex!r}")
    convertors.PathConvertor.regex = EVERY_PATH
