"""All callers share one token. It is fetched once, renewed ahead, and served as long as it is good. (These are
functions of one event loop, so the endpoint is a stand-in here; test_credential.py and tests/e2e have a real one.)"""

import asyncio
import time
from dataclasses import dataclass

import pytest

from proxy.credential import NoTokenError, Token
from proxy.identity import Identity

pytestmark = pytest.mark.anyio


@dataclass
class Endpoint:
    """Counts its calls. Each token is good for `lifetime` seconds; `broken` is an outage."""

    lifetime: float = 3600.0
    broken: bool = False
    calls: int = 0

    async def __call__(self, scope: str, client_id: str | None) -> Token:
        self.calls += 1
        await asyncio.sleep(0.05)
        if self.broken:
            raise OSError("outage")
        return Token(f"token-{self.calls}", time.time() + self.lifetime)


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


@pytest.fixture
def identity(endpoint: Endpoint) -> Identity:
    return Identity("scope", source=endpoint)


async def test_64_callers_at_once_cost_one_request(identity: Identity, endpoint: Endpoint) -> None:
    assert set(await asyncio.gather(*(identity.token() for _ in range(64)))) == {"token-1"}
    assert endpoint.calls == 1
    assert await identity.token() == "token-1"
    assert endpoint.calls == 1


async def test_a_token_is_renewed_in_the_background_before_it_expires(identity: Identity, endpoint: Endpoint) -> None:
    endpoint.lifetime = 200.0  # within the last five minutes from the start
    assert await identity.token() == "token-1"
    identity.fetched_at -= 60
    assert await identity.token() == "token-1", "nobody waits for the renewal"
    assert identity.fetch
    await identity.fetch
    assert await identity.token() == "token-2"


async def test_an_outage_is_not_noticed_while_the_token_is_good(identity: Identity, endpoint: Endpoint) -> None:
    endpoint.lifetime = 200.0
    await identity.token()
    identity.fetched_at -= 60
    endpoint.broken = True
    assert [await identity.token() for _ in range(5)] == ["token-1"] * 5
    assert identity.fetch
    await asyncio.wait([identity.fetch])
    assert await identity.token() == "token-1"
    assert endpoint.calls == 2, "an endpoint in trouble is not hammered"


async def test_an_expired_token_is_never_served(identity: Identity, endpoint: Endpoint) -> None:
    endpoint.lifetime = 1.0
    await identity.token()
    assert await identity.token() == "token-2"
    endpoint.broken = True
    with pytest.raises(OSError, match="outage"):
        await identity.token()
    endpoint.broken = False
    assert (await identity.token()).startswith("token-"), "it recovers with the endpoint"


async def test_a_caller_that_leaves_does_not_cancel_the_others_token(identity: Identity, endpoint: Endpoint) -> None:
    leaving, staying = asyncio.create_task(identity.token()), asyncio.create_task(identity.token())
    await asyncio.sleep(0.01)
    leaving.cancel()
    assert await staying == "token-1"
    assert endpoint.calls == 1


async def test_a_refused_token_is_fetched_anew(identity: Identity, endpoint: Endpoint) -> None:
    await identity.token()
    identity.distrust()
    assert await identity.token() == "token-1", "but not more than twice a minute"
    identity.fetched_at -= 60
    identity.distrust()
    assert await identity.token() == "token-2"


async def test_a_refused_token_goes_on_while_there_is_no_other(identity: Identity, endpoint: Endpoint) -> None:
    await identity.token()
    identity.fetched_at -= 60
    identity.distrust()
    endpoint.broken = True
    assert [await identity.token() for _ in range(3)] == ["token-1"] * 3
    assert endpoint.calls == 2, "only one caller waited to hear that there is none"


async def test_why_there_is_no_token_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    async def refused(*_: str | None) -> Token:
        raise NoTokenError("No User Assigned Identity found")

    with pytest.raises(NoTokenError):
        await Identity("scope", source=refused).token()
    await asyncio.sleep(0)
    assert capsys.readouterr().out == "no token from the managed identity: No User Assigned Identity found\n"
