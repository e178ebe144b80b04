"""Values that fit a JSON schema: what a model answers to `response_format`, and what it calls a tool with.

Why no package: jsf (0.11) takes dates from the clock, leaves out what `allOf` asks for and breaks lengths for patterns;
hypothesis-jsonschema makes values that find bugs, not values that people read. jsonschema judges the few keywords that
no value can be built from.
"""

from .maker import instance
from .unsatisfiable import Unsatisfiable

__all__ = ["Unsatisfiable", "instance"]
