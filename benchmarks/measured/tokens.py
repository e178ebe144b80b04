"""Measures the token: the cost of a cached token, and the calls of the identity endpoint for 64 callers at once."""

import asyncio
import logging
import time

from proxy.credential import Token
from proxy.identity import Identity

from ..bench import Bench, Sample

CALLERS = 64
CACHED_CALLS = 20_000
DAY = 24 * 3600.0


class Endpoint(Identity):
    """An identity whose endpoint takes 20 ms to answer, or fails. It counts its calls."""

    def __init__(self, lifetime: float = DAY) -> None:
        super().__init__("https://cognitiveservices.azure.com/.default", source=self.answer)
        self.lifetime, self.asked, self.down = lifetime, 0, False

    async def answer(self, *_: object) -> Token:
        self.asked += 1
        await asyncio.sleep(0.02)
        if self.down:
            raise OSError("the identity endpoint is down")
        return Token("made-up", time.time() + self.lifetime)


def tokens() -> Bench:
    return Bench("token", {"ours": lambda: asyncio.run(sample())})


async def sample() -> Sample:
    logging.getLogger("azure_openai_proxy").setLevel(logging.ERROR)
    return {
        "cached_us": await cached_us(),
        "requests_cold": await requests(Endpoint(), expires_in=None),
        "requests_at_refresh": await requests(Endpoint(), expires_in=100),
        "requests_at_expiry": await requests(Endpoint(), expires_in=-1),
        "failures_in_outage": await failures_in_outage(),
    }


async def cached_us() -> float:
    identity = Endpoint()
    await identity.token()
    began = time.perf_counter()
    for _ in range(CACHED_CALLS):
        await identity.token()
    return 1e6 * (time.perf_counter() - began) / CACHED_CALLS


async def requests(identity: Endpoint, expires_in: float | None) -> int:
    """The endpoint's calls for 64 callers at once, when the present token expires so soon."""
    if expires_in is not None:
        identity.current = Token("made-up", time.time() + expires_in)
    await asyncio.gather(*(identity.token() for _ in range(CALLERS)))
    await asyncio.sleep(0.1)
    return identity.asked


async def failures_in_outage() -> int:
    identity = Endpoint()
    identity.current = Token("made-up", time.time() + 100)
    identity.down = True
    results = await asyncio.gather(*(identity.token() for _ in range(CALLERS)), return_exceptions=True)
    await asyncio.sleep(0.1)
    return sum(isinstance(result, BaseException) for result in results)
