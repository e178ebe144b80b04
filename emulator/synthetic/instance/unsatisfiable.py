"""The error for a schema that no value fits."""

SHOWN = 60  # characters of a path, its last


class Unsatisfiable(ValueError):
    """`path` is that of the value, such as `items[0].city`, "" for the whole; `reason` is a part of a sentence."""

    def __init__(self, reason: str, path: str = "") -> None:
        shown = path if len(path) <= SHOWN else f"…{path[-SHOWN:]}"
        super().__init__(f"no value fits the schema at {f'`{shown}`' if path else 'its top'}: {reason}")
        self.reason, self.path = reason, path
