"""What may be asked of the live service: nothing that no cassette may hold."""

from ..failure import UsageError
from ..scrub.scrub import Known, SecretFound, leaks, scrubbed
from ..tape.cassette import Interaction, Request
from .merge import identity

LARGEST_BODY_BYTES = 40 * 2**20  # in base64 it is as large as a cassette may be
COMPARED = ("request body", "request address path", "request address query")  # the parts that tell requests apart


class RecordingRefused(UsageError):
    """A request that must not be recorded. The message gives the reason and says what to do."""


def require_sendable(asked: Interaction, known: Known) -> None:
    """`asked` is the request as the library would match it. Raises RecordingRefused for a secret in it: without the
    secret, the recording would never match the same request."""
    if len(asked.request.body) > LARGEST_BODY_BYTES:
        raise RecordingRefused(
            f"Nothing was sent. The request has {len(asked.request.body) // 2**20} MB, and a cassette holds at most "
            f"{LARGEST_BODY_BYTES // 2**20} MB. Record a shorter sound or a smaller picture."
        )
    try:
        kept = scrubbed(asked, known)
    except SecretFound as found:
        raise RecordingRefused(f"Nothing was sent. {found}") from found
    if identity(kept) != identity(asked):
        named = [str(leak) for leak in leaks(asked, known) if leak.place.startswith(COMPARED)]
        private = "\n  ".join(dict.fromkeys(named or _changed(asked.request, kept.request)))
        raise RecordingRefused(
            "Nothing was sent. No cassette may hold this, and without it the request would never match.\n"
            f"  {private}\nAsk with made-up names, addresses and ids."
        )


def _changed(asked: Request, kept: Request) -> list[str]:
    """The places where the two differ without a rule, because they repeat a credential of the call."""
    parts = {"request method": "method", "request address": "uri", "request body": "body"}
    differing = [part for part, name in parts.items() if getattr(asked, name) != getattr(kept, name)]
    return [f"{part}: it says what is secret elsewhere in this call" for part in differing]
