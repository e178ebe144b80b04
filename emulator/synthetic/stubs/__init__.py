"""Answers that stand in the test: which requests they wait for, and what they answer (docs/stubs.md).

`emulation` hands them to the fake Azure; the control API reads them as JSON.
"""

from .error import StubError
from .stub import Stub
from .stubs import Stubs

__all__ = ["Stub", "StubError", "Stubs"]
