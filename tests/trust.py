"""Whom the tests trust on a network: nobody, because they meet nobody.

Each HTTP client reads the certificates of all authorities that this machine trusts, 17 ms for some 140 of them. The
tests make thousands of clients, and hundreds of processes that read them, too.
"""

import os
from pathlib import Path

NOBODY = Path(__file__).with_name("nobody.pem")  # of an authority whose key nobody has
VARIABLE = "SSL_CERT_FILE"

BEFORE = os.environ.get(VARIABLE)
"""What was there when the tests began."""


def trust_nobody() -> None:
    """From now on, here and in every child."""
    os.environ[VARIABLE] = str(NOBODY)


def trusting(environment: dict[str, str]) -> dict[str, str]:
    """The environment of a child that meets somebody: pip, and whatever asks an index."""
    kept = {name: value for name, value in environment.items() if name != VARIABLE}
    return kept if BEFORE is None else kept | {VARIABLE: BEFORE}
