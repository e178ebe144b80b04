"""The error for a schema that no value fits."""

SHOWN = 60  # characters at the end of a path


class Unsatisfiable(ValueError):
    """`path` is the value's, such as `items[0].city`, or "" for the whole. `reason` is the end of a sentence."""

    def __init__(self, reason: str, path: str = "") -> None:
        shown = path if len(path) <= SHOWN else f"…{path[-SHOWN:]}"
        super().__init__(f"no value fits the schema at {f'`{shown}`' if path else 'its top'}: {reason}")
        self.reason, self.path = reason, path
