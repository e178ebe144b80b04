"""Makes values that fit a JSON schema: the answer to a `response_format`, and the arguments of a tool call.

No package does this well enough. jsf (0.11) takes dates from the clock, leaves out fields that `allOf` requires, and
breaks lengths to keep patterns. hypothesis-jsonschema makes values that find bugs, not values that people read.
jsonschema checks the few keywords that no value can be built from.
"""

from .maker import instance
from .unsatisfiable import Unsatisfiable

__all__ = ["Unsatisfiable", "instance"]
