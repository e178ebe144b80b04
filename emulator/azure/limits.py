"""A deployment's rate limits: requests and tokens per minute, counted as Azure counts them.

Azure counts a call before it asks the model, with the tokens that the call may use: the prompt, estimated from its
length, and the longest allowed answer (Microsoft Learn, "Manage Azure OpenAI quota"). Headers as recorded in 2025/26.
"""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

WINDOW_SECONDS = 60.0


@dataclass
class Window:
    """The use of one deployment since `began`, in seconds of the limits' clock."""

    began: float
    requests: int = 0
    tokens: int = 0


@dataclass
class Limits:
    """Limits per minute. None means no limit. The clock runs `time_scale` times as fast: at 1000 a minute lasts 60 ms,
    and a refusal tells its caller to wait so long. Safe to use from several threads."""

    requests: int | None = None
    tokens: int | None = None
    time_scale: float = 1.0
    clock: Callable[[], float] = time.monotonic
    _windows: dict[str, Window] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def admit(self, deployment: str, tokens: int) -> tuple[bool, dict[str, str]]:
        """(whether the call may go on, the headers about what is left). A refused call uses nothing."""
        now = self.clock() * (self.time_scale or 1)
        with self._lock:
            window = self._windows.setdefault(deployment, Window(now))
            if now - window.began >= WINDOW_SECONDS:
                window = self._windows[deployment] = Window(now)
            fits = {
                "requests": self.requests is None or window.requests < self.requests,
                "tokens": self.tokens is None or window.tokens + tokens <= self.tokens,
            }
            if all(fits.values()):
                window.requests, window.tokens = window.requests + 1, window.tokens + tokens
            reset = (window.began + WINDOW_SECONDS - now) / (self.time_scale or 1)
            return all(fits.values()), self._headers(window, reset, [name for name, fit in fits.items() if not fit])

    def _headers(self, window: Window, reset: float, exceeded: list[str]) -> dict[str, str]:
        headers = {}
        for name in ("requests", "tokens"):
            limit, used = getattr(self, name), getattr(window, name)
            if limit is not None:
                headers[f"x-ratelimit-limit-{name}"] = str(limit)
                headers[f"x-ratelimit-remaining-{name}"] = str(max(0, limit - used))
                headers[f"x-ratelimit-renewalperiod-{name}"] = f"{WINDOW_SECONDS:.0f}"
                headers[f"x-ratelimit-reset-{name}"] = str(math.ceil(reset))
        if exceeded:
            headers["retry-after"], headers["retry-after-ms"] = str(math.ceil(reset)), str(math.ceil(1000 * reset))
            headers["policy-id"] = f"DeploymentRatelimit-{exceeded[-1].removesuffix('s').capitalize()}"
        return headers
