"""The number of examples in a long test. `EXAMPLES=10000 python -m pytest -m long tests/synthetic` takes an hour."""

import os

MANY = int(os.environ.get("EXAMPLES", "1000"))
