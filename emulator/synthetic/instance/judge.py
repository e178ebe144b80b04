"""Checks with jsonschema whether a value fits a part of a schema."""

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .flat import Node, Schema
from .unsatisfiable import Unsatisfiable

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

MOST = 256  # parts whose validators are kept
DOCUMENT, PART = "urn:document", "urn:part"  # names in the registry, which fetches nothing


class Judge:
    """Imports jsonschema with the first check, as most schemas need none."""

    def __init__(self, document: Schema) -> None:
        self.document = document
        self.validators = dict[int, tuple[Node, "Validator"]]()

    def fits(self, part: Node, value: Any) -> bool:
        """Whether the value fits. Raises RecursionError for a part that is composed of itself, and Unsatisfiable for
        one that is not valid."""
        _, validator = self.validators.get(id(part)) or (part, self._validator(part))
        if len(self.validators) < MOST:
            self.validators[id(part)] = (part, validator)
        try:
            return bool(validator.is_valid(value))
        except BaseException as error:
            if type(error).__name__ == "PanicException":  # a RecursionError inside jsonschema's Rust
                raise RecursionError from None
            complain(part)  # jsonschema stumbles over a type that JSON lacks
            raise

    def _validator(self, part: Node) -> "Validator":
        from jsonschema import Draft202012Validator
        from referencing.jsonschema import DRAFT202012

        document = dict(self.document) if isinstance(self.document, Mapping) else {}
        document.pop("$id", None)  # an `$id` would rename the document, and its references would lead nowhere
        resource = DRAFT202012.create_resource({**document, PART: part})
        return Draft202012Validator(
            {"$ref": f"{DOCUMENT}#/{PART}"}, registry=_registry().with_resource(DOCUMENT, resource)
        )


@functools.cache
def _registry() -> Any:
    from referencing import Registry

    return Registry()


def complain(schema: Schema) -> None:
    """Raises Unsatisfiable where the schema is not valid."""
    from jsonschema import Draft202012Validator, SchemaError

    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        where = "/".join(map(str, error.absolute_path))
        raise Unsatisfiable(f"`#/{where}` of the schema is not valid: {error.message}") from None
