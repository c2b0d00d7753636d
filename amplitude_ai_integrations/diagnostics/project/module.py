"""One file of a project: what its names mean, and who calls what where."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple, TypeAlias

_SHARED = (ast.expr_context, ast.operator, ast.boolop, ast.unaryop, ast.cmpop)  # one object for all places
Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


class Module:
    """A parsed file; names are resolved through its imports alone, and nothing of it is run.

    Raises:
        ValueError: It is no Python, or is nested too deeply to be read.
    """

    def __init__(self, path: str, source: bytes) -> None:
        self.path = path
        self.source = source
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about the text of others
                self.tree = ast.parse(source)
        except (SyntaxError, RecursionError, MemoryError) as error:
            line = getattr(error, "lineno", None)
            raise ValueError(f"line {line}" if line else type(error).__name__) from None
        self._above: dict[ast.AST, ast.AST] = {}
        self.nodes: list[ast.AST] = [self.tree]
        for node in self.nodes:  # grows while it is read: breadth first, and without recursion
            for child in ast.iter_child_nodes(node):
                if not isinstance(child, _SHARED):
                    self._above[child] = node
                    self.nodes.append(child)

    @cached_property
    def imports(self) -> dict[str, str]:
        """What each imported name stands for, as a dotted path; relative imports keep their dots."""
        found: dict[str, str] = {}
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for item in node.names:
                    first = item.name.partition(".")[0]
                    found[item.asname or first] = item.name if item.asname else first
            elif isinstance(node, ast.ImportFrom):
                source = "." * node.level + (node.module or "")
                for item in node.names:
                    found[item.asname or item.name] = f"{source}.{item.name}"
        return found

    @cached_property
    def imported(self) -> frozenset[str]:
        """The modules that are imported, each with those it lies in."""
        whole = {
            *(item.name for node in self.nodes if isinstance(node, ast.Import) for item in node.names),
            *(node.module or "" for node in self.nodes if isinstance(node, ast.ImportFrom) if not node.level),
            *(path for path in self.imports.values() if not path.startswith(".")),
        }
        return frozenset(
            path.rsplit(".", cut)[0] if cut else path for path in whole for cut in range(path.count(".") + 1)
        )

    @property
    def dotted(self) -> str:
        """The path under which others import it, from the folder that was read."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @cached_property
    def sources(self) -> set[str]:
        """The modules that are imported, or may be, relative ones as seen from the folder that was read."""
        package = self.path.split("/")
        found: set[str] = set()
        for node in self.nodes:
            if isinstance(node, ast.Import):
                found.update(item.name for item in node.names)
            elif isinstance(node, ast.ImportFrom):
                around = package[: -node.level] if node.level else []
                base = ".".join([*around, *([node.module] if node.module else [])])
                found.update({base, *(f"{base}.{item.name}".lstrip(".") for item in node.names)} - {""})
        return found

    @cached_property
    def strings(self) -> list[ast.Constant]:
        """Every text that stands in the file."""
        return [node for node in self.nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]

    @cached_property
    def references(self) -> list[ast.Name | ast.Attribute]:
        """Every name that is read, whole where it is a dotted one, in the order of their lines."""
        found = [
            node
            for node in self.nodes
            if isinstance(node, (ast.Name, ast.Attribute))
            and isinstance(node.ctx, ast.Load)
            and not isinstance(self._above[node], ast.Attribute)
        ]
        return sorted(found, key=lambda node: (node.lineno, node.col_offset))

    @cached_property
    def calls(self) -> list[ast.Call]:
        """Every call, in the order of their lines."""
        found = [node for node in self.nodes if isinstance(node, ast.Call)]
        return sorted(found, key=lambda node: (node.lineno, node.col_offset))

    def place(self, node: ast.AST) -> str:
        """Return file and line of a node."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}"

    def gives(self, name: str) -> bool:
        """Tell whether a name is given a value anywhere in the file, besides what it is imported as."""
        return any(
            (isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load))
            or (isinstance(node, ast.arg) and node.arg == name)
            for node in self.nodes
        )

    def path_of(self, node: ast.AST) -> str:
        """Return the dotted path that an expression names, or an empty text if it names none."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        return ".".join([self.imports.get(node.id, node.id), *reversed(parts)])

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield what a node stands in, innermost first."""
        while node in self._above:
            node = self._above[node]
            yield node

    def call_around(self, node: ast.AST) -> ast.Call | None:
        """Return the innermost call in which a node stands."""
        return next((outer for outer in self.above(node) if isinstance(outer, ast.Call)), None)

    def functions_around(self, node: ast.AST) -> list[Function]:
        """Return the functions in which a node stands, innermost first."""
        return [
            outer for outer in self.above(node) if isinstance(outer, (ast.FunctionDef, ast.AsyncFunctionDef))
        ]

    def statements_before(self, node: ast.AST) -> Iterator[ast.stmt]:
        """Yield what runs before a node in its own block, and in each block around it within its function."""
        for outer in (node, *self.above(node)):
            if isinstance(outer, (ast.FunctionDef, ast.AsyncFunctionDef)):
                return
            if isinstance(outer, ast.stmt):
                yield from self._earlier(outer)

    def block_of(self, node: ast.AST) -> tuple[ast.AST, str] | None:
        """Return what tells the block apart in which a node's statement stands."""
        for outer in (node, *self.above(node)):
            if isinstance(outer, ast.stmt):
                owner = self._above[outer]
                return owner, next(name for name, block in ast.iter_fields(owner) if _holds(block, outer))
        return None

    def _earlier(self, statement: ast.stmt) -> Iterator[ast.stmt]:
        for _name, block in ast.iter_fields(self._above[statement]):
            if _holds(block, statement):
                yield from block[: block.index(statement)]


class Use(NamedTuple):
    """A place where a name is used, and the call it belongs to."""

    module: Module
    node: ast.AST
    name: str
    call: ast.Call | None

    @property
    def place(self) -> str:
        """File and line."""
        return self.module.place(self.node)

    @property
    def target(self) -> str:
        """The name to which a call's result is given, or an empty text."""
        for outer in self.module.above(self.node):
            if isinstance(outer, ast.Assign):
                return _text(outer.targets[0])
            if isinstance(outer, (ast.AnnAssign, ast.NamedExpr)):
                return _text(outer.target)
            if isinstance(outer, ast.withitem):
                return _text(outer.optional_vars)
            if not isinstance(outer, (ast.Await, ast.IfExp, ast.BoolOp)):
                break
        return ""


def _text(node: ast.AST | None) -> str:
    return ast.unparse(node) if isinstance(node, (ast.Name, ast.Attribute)) else ""


def _holds(block: object, statement: ast.stmt) -> bool:
    return isinstance(block, list) and any(item is statement for item in block)
