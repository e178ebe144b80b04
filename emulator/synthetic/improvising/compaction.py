"""A conversation made short (POST responses/compact), and how many tokens one has (POST responses/input_tokens).

Microsoft's description of v1 has neither route. So the API's reference gives the documents, in the layout of Azure's
responses.
"""

from dataclasses import replace

from ...tape.interaction import Response
from .. import stored
from ..asked import Asked, Reply
from ..responses import usage
from ..seed import CREATED
from .conversation import Conversation
from .seal import sealed

TOKENS = 64  # of the item that stands for what users did not say


def counted(asked: Asked) -> Response:
    """As many as the answer to the same request tells in its usage."""
    return stored.answer(asked, {"object": "response.input_tokens", "input_tokens": asked.tokens})


def compacted(asked: Asked, before: Conversation, whole: Conversation) -> Response:
    """What users said, and an item that stands for the rest: which functions were called. `before` is what the request
    goes on with; `whole` has its own input, too."""
    given = asked.body.get("input") or []
    own = [{"role": "user", "content": given}] if isinstance(given, str) else given
    items = stored.items(replace(asked, body={"input": [*before.messages, *own]}))
    item = {"id": asked.seed.response_id("cmp"), "type": "compaction", "encrypted_content": sealed(whole.called)}
    return stored.answer(
        asked,
        {
            "id": asked.seed.response_id("resp"),
            "object": "response.compaction",
            "created_at": CREATED,
            "output": [*(item for item in items if item.get("role") == "user"), item],
            "usage": usage(asked, Reply(spent=TOKENS)),
        },
    )
