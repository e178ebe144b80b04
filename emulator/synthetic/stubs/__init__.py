"""Stubs: answers that a test declares itself, and the requests that they wait for (docs/stubs.md).

`emulation` hands stubs to the fake Azure; the control API reads them as JSON.
"""

from .error import StubError
from .stub import Stub
from .stubs import Stubs

__all__ = ["Stub", "StubError", "Stubs"]
