"""Finds defects in cassettes: a table of checks, and their findings as text or JSON. The command line may import it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from . import audit, chunk_order, conformity, duplicate, event_order, framing, media, secret, shape, unplayed
from .context import Check, Context, default_folder
from .finding import Finding
from .openapi import Descriptions
from .tapes import Tapes, read

__all__ = ["Finding", "context_of", "described", "findings", "read", "text"]


def unreadable(tapes: Tapes, _: Context) -> Iterator[Finding]:
    yield from tapes.problems


CHECKS: tuple[Check, ...] = (
    unreadable,
    secret.check,
    framing.check,
    conformity.against_sdk,
    conformity.against_openapi,
    event_order.check,
    chunk_order.check,
    media.check,
    shape.check,
    duplicate.check,
    unplayed.check,
)


def context_of(recordings: Path | None, specs: Path | None, played: Path | None) -> Context:
    """The material to compare recordings with. For None, a folder beside the checkout, if it exists."""
    recordings = recordings or default_folder("AZURE_RECORDINGS", "azure-recordings")
    specs = specs or default_folder("AZURE_SPECS", "azure-specs")
    return Context(
        read([recordings]) if recordings else None,
        Descriptions(specs) if specs else None,
        frozenset(played.read_text(encoding="utf-8").splitlines()) if played else None,
    )


def findings(tapes: Tapes, context: Context, audited: bool = False) -> list[Finding]:
    """All findings of the checks, errors first. `audited` adds the audit of matching, which takes seconds."""
    checks = (*CHECKS, audit.check) if audited else CHECKS
    found = [finding for check in checks for finding in check(tapes, context)]
    return sorted(found, key=lambda finding: finding.severity)


def described(tapes: Tapes, found: Iterable[Finding]) -> dict[str, Any]:
    """The object that `--json` prints."""
    counts = Counter(finding.severity for finding in found)
    return {
        "recordings": len(tapes.recordings),
        "files": tapes.files,
        "errors": counts["error"],
        "infos": counts["info"],
        "findings": [asdict(finding) for finding in found],
    }


def text(tapes: Tapes, found: Iterable[Finding]) -> str:
    facts = described(tapes, found)
    amounts = [_counted(facts[name], name[:-1]) for name in ("recordings", "files", "errors", "infos")]
    return "\n".join([*map(str, found), "{} in {}: {}, {}".format(*amounts)])


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
