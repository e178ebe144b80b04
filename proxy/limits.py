"""The administrator's limits. Each is an app setting, off by default. The proxy never edits a body to keep a limit."""

from typing import Any

from .errors import ProxyError
from .model import Members

OUTPUT_LIMITS: dict[str, tuple[str, ...]] = {  # route that writes text: the members of a body that limit it
    "chat/completions": ("max_completion_tokens", "max_tokens"),
    "responses": ("max_output_tokens",),
    "responses/compact": (),
}
NEED_STORE = ("background", "previous_response_id", "conversation")


def check_limits(max_output_tokens: int | None, allow_store: bool, route: str, members: Members) -> None:
    """Raises ProxyError."""
    if max_output_tokens:
        check_output(route, members, max_output_tokens)
    if not allow_store:
        check_store(route, members)


def check_output(route: str, members: Members, limit: int) -> None:
    """Requires that the caller names a limit of its own; `n` answers count together. Raises ProxyError."""
    names = OUTPUT_LIMITS.get(route, ())
    limits, copies = values(members, *names), values(members, "n") or [1.0]
    numbers = bool(limits) and all(isinstance(value, float) for value in (*limits, *copies))
    asked = max(limits) * max(copies) if numbers else float("nan")
    if names and not asked <= limit:
        named = f"{asked:,.0f}" if numbers else "no limit"
        raise ProxyError("too_many_output_tokens", limit, named, names[0], param=names[0])


def check_store(route: str, members: Members) -> None:
    """Requires that the call stores nothing at Azure and uses nothing stored there. Raises ProxyError."""
    if "{" in route:
        what = "responses" if route.startswith("responses") else "files"
        raise ProxyError("storing_is_off", f"the routes of stored {what} are closed")
    if route.startswith("responses"):
        for name in NEED_STORE:
            if any(value is not False for value in values(members, name)):
                raise ProxyError("storing_is_off", f"leave out `{name}`", param=name)
        items = [item for given in values(members, "input") if isinstance(given, list) for item in given]
        if any(map(is_reference, items)):
            raise ProxyError("storing_is_off", "send whole items in the place of each `item_reference`", param="input")
    store = values(members, "store")
    if any(value is not False for value in store) or (route == "responses" and not store):  # Azure's default is true
        raise ProxyError("storing_is_off", 'send `"store": false`', param="store")


def values(members: Members, *names: str) -> list[Any]:
    """Every value of a body under these names; null counts as none."""
    return [value for name, value in members if name in names and value is not None]


def is_reference(item: Any) -> bool:
    """Whether an item of an input stands for one that Azure has stored; such a one needs no type (OpenAI's
    specification, ItemReferenceParam)."""
    names = dict(item) if isinstance(item, tuple) else {}
    return bool(names) and (("type", "item_reference") in item or (names.get("type") is None and "role" not in names))
