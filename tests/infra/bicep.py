"""Reads the declarations and references of Bicep files."""

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lark import Lark, Token, Tree
from lark.exceptions import LarkError
from pycep import BicepParser

DECLARATIONS = ("param", "var", "resource", "module", "child_resource", "output")

Node = Tree[Token] | Token | None


@functools.cache
def parser() -> Lark:
    """A parser that gives syntax trees. pycep's own dictionaries do not distinguish a name from a text."""
    return BicepParser(cache=False).lark_parser  # the cache would be a pickle in the folder for temporary files


@functools.cache
def parsed(text: str) -> Tree[Token]:
    """Raises LarkError."""
    return parser().parse(text)


@dataclass
class Declaration:
    kind: str  # one of DECLARATIONS
    name: str
    tree: Tree[Token]

    @property
    def text(self) -> str:
        return " ".join(self.tree.scan_values(is_token))

    @property
    def description(self) -> str | None:
        for decorator in self.tree.find_data("decorator"):
            name, *argument = decorator.scan_values(is_token)
            if name == "description" and argument:
                return argument[0]
        return None

    @property
    def has_default(self) -> bool:
        return self.kind == "param" and len(self.tree.children) > 3 and self.tree.children[3] is not None


@dataclass
class Template:
    """One Bicep file. A reference is a path: `app.outputs.name` is ("app", "outputs", "name"). Raises ValueError."""

    path: Path
    declarations: list[Declaration] = field(default_factory=list)
    references: list[tuple[str, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        try:
            self.tree = parsed(self.path.read_text(encoding="utf-8"))
            for kind in DECLARATIONS:
                for tree in self.tree.find_data(kind):
                    name = next(child for child in tree.children if isinstance(child, Token))
                    self.declarations.append(Declaration(kind, str(name), tree))
            self.references = list(references(self.tree))
        except LarkError as error:
            raise ValueError(f"{self.path.name} cannot be parsed: {str(error).splitlines()[0]}") from error

    def of(self, *kinds: str) -> dict[str, Declaration]:
        return {declared.name: declared for declared in self.declarations if declared.kind in kinds}

    def literals(self) -> list[str]:
        return [str(token) for token in self.tree.scan_values(is_token) if token.startswith("'")]


def is_token(value: object) -> bool:
    return isinstance(value, Token)


def references(node: Node) -> Iterator[tuple[str, ...]]:
    if not isinstance(node, Tree):
        return
    if node.data == "string":
        (token,) = node.children
        if str(token).startswith("'"):
            for expression in re.findall(r"\$\{([^}]*)\}", str(token)):
                yield from references(parsed(f"var x = {expression}\n"))
        else:
            yield (str(token),)
        return
    if node.data in ("property_accessor", "nested_resource_accessor"):
        owner, rest = node.children
        of_owner = list(references(owner))
        if isinstance(owner, Tree) and owner.data == "string":
            of_owner = [(*of_owner[0], *names(rest))]
        yield from of_owner
        return
    if node.data == "lambda_expression":
        *parameters, body = node.children
        own = {path for parameter in parameters for path in references(parameter)}
        yield from (path for path in references(body) if path[:1] not in own)
        return
    for child in node.children:
        if not (isinstance(child, Tree) and child.data in ("key", "decorators", "data_type", "module_path")):
            yield from references(child)


def names(node: Node) -> list[str]:
    """The names after a dot."""
    if not isinstance(node, Tree):
        return []
    if node.data == "string":
        return [str(node.children[0])]
    return [name for child in node.children for name in names(child)]


def entries(tree: Tree[Token], *keys: str) -> dict[str, Tree[Token]]:
    """The members of the object in a declaration or member; with `keys`, of the object at that path in it. {} where
    there is none."""
    trees = [child for child in tree.children if isinstance(child, Tree)]
    if tree.data != "object":
        inner = [child for child in trees if child.data in ("object", "deploy_condition")]
        return entries(inner[0], *keys) if inner else {}
    members = {str(next(pair.scan_values(is_token))).strip("'"): pair for pair in trees if pair.data == "pair"}
    if not keys:
        return members
    return entries(members[keys[0]], *keys[1:]) if keys[0] in members else {}
