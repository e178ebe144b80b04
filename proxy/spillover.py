"""Spillover: asks a model's next deployment at once when one has no room.

    AZURE_OPENAI_DEPLOYMENT=gpt-5-mini=standard|datazone|ptu        a chain: deployments in the order in which to ask

Only a call that stores nothing at Azure, and uses nothing stored there, spills over. Azure's own spillover leaves out
the whole Responses API, and Microsoft does not say that one deployment may continue what another one stored. Without
spillover, the first deployment of a chain makes and continues all that is stored.
"""

import re
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from .errors import ProxyError
from .fields import Fields
from .headers import Headers
from .limits import check_store
from .model import Asked

NO_ROOM = (429, 503)  # statuses of an answer that a deployment gives before it has begun to answer
LONGEST_SECONDS = 3_600.0  # a quota may be raised meanwhile; one refused call an hour costs little
WHO = b"x-ms-deployment-name"  # as Azure's own spillover calls the header

Chain = tuple[str, ...]
Send = Callable[[str], Awaitable[httpx.Response]]


class Spillover:
    """`chains` has the deployments of each model that has more than one. `clock` gives seconds that never jump.

    Remembers, for this process, until when each deployment has no room."""

    def __init__(self, chains: Mapping[str, Chain], clock: Callable[[], float] = time.monotonic) -> None:
        self.chains, self.clock = chains, clock
        self.full_until: dict[str, float] = {}

    def chain(self, route: str, asked: Asked) -> Chain:
        """The deployments that may answer a call; () where no other than the chosen one may."""
        chain = self.chains.get(asked.model or "", ())
        return chain if chain and not is_stored(route, asked) else ()

    def served(self, deployments: Mapping[str, str], named: str) -> Mapping[str, str]:
        """The deployments that a caller may ask who names one in Azure's path. There, each deployment in the chain of
        an allowed model answers to its own name, and nothing spills over."""
        if named in deployments or not any(named in self.chains.get(model, ()) for model in deployments):
            return deployments
        return {**deployments, named: named}

    async def ask(self, chain: Chain, send: Send, fields: Fields) -> httpx.Response:
        """The first answer that is no refusal for want of room. Where all deployments refuse, the refusal of the one
        that has room first. `fields` gets who answered, and all who were asked."""
        refused: list[tuple[float, str, httpx.Response]] = []
        try:
            for deployment in self.order(chain):
                fields.deployment = deployment
                answer = await send(deployment)
                asked = f"{deployment} {answer.status_code}"
                fields.asked = f"{fields.asked}, {asked}" if fields.asked else asked
                if answer.status_code not in NO_ROOM:
                    return answer
                wait = seconds_to_wait(answer.headers)
                self.full_until[deployment] = self.clock() + (wait or 0.0)
                refused.append((LONGEST_SECONDS if wait is None else wait, deployment, answer))
            soonest = min(refused, key=lambda refusal: refusal[0])
            refused.remove(soonest)
            _, fields.deployment, answer = soonest
            return answer
        finally:
            for _, _, answer in refused:
                await answer.aclose()

    def order(self, chain: Chain) -> Iterator[str]:
        """The deployments that have room as far as is known. Where none has: the one that has room first."""
        none_free = True
        for deployment in chain:
            if self.full_until.get(deployment, 0.0) <= self.clock():
                none_free = False
                yield deployment
        if none_free:
            yield min(chain, key=lambda deployment: self.full_until[deployment])


def is_stored(route: str, asked: Asked) -> bool:
    """Whether a call stores something at Azure, or uses what is stored there."""
    try:
        check_store(route, asked.members)
    except ProxyError:
        return True
    return False


def seconds_to_wait(headers: httpx.Headers) -> float | None:
    """What a refusal says, at most LONGEST_SECONDS; None where it says nothing (RFC 9110, section 10.2.3)."""
    milliseconds, said = headers.get("retry-after-ms", "").strip(), headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,6})?", milliseconds):
        wait = float(milliseconds) / 1000
    elif re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", said):
        wait = float(said)
    else:
        try:
            wait = (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError, OverflowError):  # no date, or one without a time zone
            return None
    return min(max(0.0, wait), LONGEST_SECONDS)


def with_name(headers: Headers, deployment: str | None) -> Headers:
    """The headers with the name of the deployment that answered, where Azure has not named one."""
    if not deployment or any(name == WHO for name, _ in headers):
        return headers
    return [*headers, (WHO, deployment.encode())]
