"""How long the head of an answer may be."""

import httpx

HEAD_BYTES = 65_000  # the host (.NET) passes on 64 KB, the worker's headers included; above that it sends an empty 500


class HeadTooLong(httpx.RemoteProtocolError):
    """An answer has more than HEAD_BYTES of headers."""
