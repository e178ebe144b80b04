"""The state of a running emulator, and the settings that a client may change."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from .. import option
from ..azure import FakeAzure, faults
from ..azure.faults import FaultError
from ..azure.identity import FAULTS as IDENTITY
from ..azure.limits import Limits
from ..synthetic.improvising import Improviser, Pace
from .asked import Asked
from .refusal import Refusal, invalid_control
from .subject import Subject

PACKAGE = "azure-openai-emulator"
MOST = 999_999_999  # as on the command line: option.count
PACE = {"first_token_ms": 0, "tokens_per_second": 0.1}  # the least of each
IMPROVISE = (
    'improvise takes true, false or a pace: {"first_token_ms": 300, "tokens_per_second": 40}, the first 0 or more, the '
    "second 0.1 or more; one of them is enough."
)
Change = Callable[[FakeAzure], None]


@dataclass(frozen=True)
class Setting:
    """`read` gives the value that PATCH takes. `parse` turns a value into a Change without making it, and raises
    Refusal."""

    read: Callable[[FakeAzure], Any]
    parse: Callable[[Any], Change]


def fault_of(wish: Any) -> Change:
    if wish is not None and not isinstance(wish, str):
        raise invalid_control('fault takes a text, such as "stall; at_frame=3", or null.', "fault")
    try:
        asked = None if wish is None or wish in IDENTITY else faults.parse(wish)
    except FaultError as error:
        raise Refusal(400, "unknown_fault", str(error), "fault") from error

    def change(azure: FakeAzure) -> None:
        azure.identity.behave()
        azure.fault = asked
        azure.happened.pop((str(asked), b""), None)  # `times` counts from 0 again
        if wish in IDENTITY:
            azure.identity.misbehave(wish)

    return change


def limits_of(told: Any) -> Change:
    named = {"requests": None, "tokens": None} | told if isinstance(told, dict) else {}
    is_right = set(named) == {"requests", "tokens"} and all(
        value is None or (type(value) is int and 0 < value <= MOST) for value in named.values()
    )
    if told is not None and not is_right:
        raise invalid_control('limits takes null, or numbers a minute: {"requests": 10, "tokens": null}.', "limits")

    def change(azure: FakeAzure) -> None:
        azure.limits = Limits(named["requests"], named["tokens"], azure.time_scale) if any(named.values()) else None

    return change


def time_scale_of(told: Any) -> Change:
    if type(told) not in (int, float) or not option.is_time_scale(told):
        raise invalid_control(f"time_scale is {option.TIME_SCALES}.", "time_scale")

    def change(azure: FakeAzure) -> None:
        azure.time_scale = float(told)

    return change


def improvise_of(told: Any) -> Change:
    pace = pace_of(told) if told and isinstance(told, dict) else None
    if pace is None and not isinstance(told, bool):
        raise invalid_control(IMPROVISE, "improvise")

    def change(azure: FakeAzure) -> None:
        here = improviser_of(azure)
        if azure.records or bool(told) == bool(here):  # while recording, a live service answers
            if here and pace:
                here.set_pace(pace)
            return
        azure.after[:] = [*azure.after, Improviser(pace)] if told else [one for one in azure.after if one is not here]
        azure.deployments = frozenset() if told else frozenset(azure.library.deployments())

    return change


def pace_of(told: dict[str, Any]) -> Pace:
    """The parts that are not named are the usual ones."""
    is_right = told.keys() <= PACE.keys() and all(
        type(value) in (int, float) and PACE[name] <= value <= MOST for name, value in told.items()
    )
    if not is_right:
        raise invalid_control(IMPROVISE, "improvise")
    return Pace(**told)


def improviser_of(azure: FakeAzure) -> Improviser | None:
    return next((one for one in azure.after if isinstance(one, Improviser)), None)


def improvises(azure: FakeAzure) -> bool | dict[str, float]:
    """True is the usual pace."""
    here = improviser_of(azure)
    return asdict(here.pace) if here and here.pace != Pace() else here is not None


def limits_now(azure: FakeAzure) -> dict[str, int | None] | None:
    return {"requests": azure.limits.requests, "tokens": azure.limits.tokens} if azure.limits else None


SETTINGS: Mapping[str, Setting] = {  # changed in this order: limits run on the clock of the time scale
    "time_scale": Setting(lambda azure: azure.time_scale, time_scale_of),
    "limits": Setting(limits_now, limits_of),
    "improvise": Setting(improvises, improvise_of),
    "fault": Setting(lambda azure: str(azure.fault) if azure.fault else azure.identity.wish, fault_of),
}


def read(subject: Subject, _: Asked) -> dict[str, Any]:
    return told(subject)


def told(subject: Subject) -> dict[str, Any]:
    azure, library = subject.azure, subject.azure.library
    exchanges = azure.journal.exchanges
    recording = subject.told_of_recording()
    return {
        "mode": "reading" if subject.is_file else "replaying" if recording is None else "recording",
        "version": version_of_this(),
        "now": datetime.now(UTC).isoformat(timespec="milliseconds"),
        **settings(subject),
        "happened": sum(azure.happened.values()),
        "proxy": subject.proxy,
        "azure": subject.azure_base,
        "deployments": sorted(azure.deployments),
        "counts": {
            "calls": len(exchanges),
            "misses": sum(exchange.miss is not None for exchange in exchanges),
            "errors": sum((exchange.status or 0) >= 400 for exchange in exchanges),
            "open": sum(exchange.ended_at is None for exchange in exchanges),
        },
        "recordings": len(library.interactions()),
        "problems": library.problems,
        "recording": recording,
    }


def settings(subject: Subject) -> dict[str, Any]:
    return {name: setting.read(subject.azure) for name, setting in SETTINGS.items()}


def change(subject: Subject, asked: Asked) -> dict[str, Any]:
    """Makes every change of the body; one that is wrong changes nothing. Raises Refusal."""
    for name in asked.body:
        if name not in SETTINGS:
            raise invalid_control(f"PATCH does not change {name!r}. It changes {', '.join(SETTINGS)}.", name)
    changes = [setting.parse(asked.body[name]) for name, setting in SETTINGS.items() if name in asked.body]
    for change in changes:
        change(subject.azure)
    return told(subject)


def reset(subject: Subject, asked: Asked) -> dict[str, Any]:
    """Starts afresh, as FakeAzure.reset does before every test. The time scale and `improvise` stay."""
    if asked.body:
        raise invalid_control("A reset takes no settings: send {}.")
    subject.azure.reset()
    return told(subject)


@functools.cache  # it reads files
def version_of_this() -> str | None:
    """None where the package is not installed, as in a checkout."""
    try:
        return version(PACKAGE)
    except PackageNotFoundError:
        return None
