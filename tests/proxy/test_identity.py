"""One token for every caller: fetched once, renewed ahead, served as long as it is good. (Functions of one event loop,
so the credential is a stand-in here; tests/e2e fetches every token with the real one.)"""

import asyncio
import time
from dataclasses import dataclass, field

import pytest

from proxy.identity import Identity

pytestmark = pytest.mark.anyio


@dataclass
class Token:
    token: str
    expires_on: float


@dataclass
class Credential:
    """Counts its calls; each token is good for `lifetime` seconds; `broken` is an outage of the identity endpoint."""

    lifetime: float = 3600.0
    broken: bool = False
    seconds: float = 0.05
    calls: list[str] = field(default_factory=list)

    def get_token(self, scope: str) -> Token:
        self.calls.append(scope)
        time.sleep(self.seconds)
        if self.broken:
            raise OSError("outage")
        return Token(f"token-{len(self.calls)}", time.time() + self.lifetime)


@pytest.fixture
def credential() -> Credential:
    return Credential()


@pytest.fixture
def identity(credential: Credential) -> Identity:
    made = Identity("scope")
    made.new_credential = lambda: credential  # type: ignore[method-assign]
    return made


async def test_64_callers_at_once_cost_one_request(identity: Identity, credential: Credential) -> None:
    assert set(await asyncio.gather(*(identity.token() for _ in range(64)))) == {"token-1"}
    assert len(credential.calls) == 1
    assert await identity.token() == "token-1"
    assert len(credential.calls) == 1


async def test_the_event_loop_never_waits_for_the_identity_endpoint(identity: Identity, credential: Credential) -> None:
    credential.seconds = 0.3
    fetching = asyncio.create_task(identity.token())
    ticks = 0
    while not fetching.done():
        await asyncio.sleep(0.01)
        ticks += 1
    assert ticks >= 10


async def test_a_token_is_renewed_in_the_background_before_it_expires(
    identity: Identity, credential: Credential
) -> None:
    credential.lifetime = 200.0  # within the last five minutes from the start
    assert await identity.token() == "token-1"
    identity.fetched_at -= 60
    assert await identity.token() == "token-1", "nobody waits for the renewal"
    assert identity.fetch
    await identity.fetch
    assert await identity.token() == "token-2"


async def test_an_outage_is_not_noticed_while_the_token_is_good(identity: Identity, credential: Credential) -> None:
    credential.lifetime = 200.0
    await identity.token()
    identity.fetched_at -= 60
    credential.broken = True
    assert [await identity.token() for _ in range(5)] == ["token-1"] * 5
    assert identity.fetch
    await asyncio.wait([identity.fetch])
    assert await identity.token() == "token-1"
    assert len(credential.calls) == 2, "an endpoint in trouble is not hammered"


async def test_an_expired_token_is_never_served(identity: Identity, credential: Credential) -> None:
    credential.lifetime = 1.0
    await identity.token()
    assert await identity.token() == "token-2"
    credential.broken = True
    with pytest.raises(OSError, match="outage"):
        await identity.token()
    credential.broken = False
    assert (await identity.token()).startswith("token-"), "it recovers with the endpoint"


async def test_a_caller_that_leaves_does_not_cancel_the_others_token(
    identity: Identity, credential: Credential
) -> None:
    leaving, staying = asyncio.create_task(identity.token()), asyncio.create_task(identity.token())
    await asyncio.sleep(0.01)
    leaving.cancel()
    assert await staying == "token-1"
    assert len(credential.calls) == 1


async def test_a_refused_token_is_fetched_anew(identity: Identity, credential: Credential) -> None:
    await identity.token()
    identity.distrust()
    assert await identity.token() == "token-1", "but not more than twice a minute"
    identity.fetched_at -= 60
    identity.distrust()
    identity.credential = credential
    assert await identity.token() == "token-2"


async def test_a_refused_token_goes_on_while_there_is_no_other(identity: Identity, credential: Credential) -> None:
    await identity.token()
    identity.fetched_at -= 60
    identity.distrust()
    identity.credential, credential.broken = credential, True
    assert [await identity.token() for _ in range(3)] == ["token-1"] * 3
    assert len(credential.calls) == 2, "only one caller waited to hear that there is none"


async def test_a_credential_that_failed_is_not_asked_again(identity: Identity, credential: Credential) -> None:
    """MSAL remembers a 429 for a minute, and repeats it although the endpoint is well again."""
    credential.broken = True
    with pytest.raises(OSError, match="outage"):
        await identity.token()
    well = Credential()
    identity.new_credential = lambda: well  # type: ignore[method-assign]
    assert await identity.token()
