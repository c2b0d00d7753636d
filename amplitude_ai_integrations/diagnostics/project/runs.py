"""Where a project runs agent frameworks, and which names that look like theirs are its own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Set
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

from ...registry import AGENT_FRAMEWORKS
from ..versions import installed_version
from .frameworks import Framework, owners_of, run_by, run_by_method
from .module import Module

_SDK: Final = AGENT_FRAMEWORKS["openai_agents"]
# What nobody else's module of that name has.
_OF_SDK: Final = frozenset(
    {
        *("Runner", "RunConfig", "RunContextWrapper", "ModelSettings", "SQLiteSession", "function_tool"),
        *("handoff", "input_guardrail", "output_guardrail", "GuardrailFunctionOutput", "RunResult"),
        *("set_default_openai_client", "set_default_openai_key", "set_tracing_disabled", "WebSearchTool"),
        *("OpenAIChatCompletionsModel", "OpenAIResponsesModel", "AgentHooks", "RunHooks", "ItemHelpers"),
        *("extensions", "tracing"),
    }
)


class Run(NamedTuple):
    """A place that calls a framework, by which path, and the names that are given to it."""

    framework: Framework
    file: str
    line: int
    path: str
    given: frozenset[str] = frozenset()

    @property
    def place(self) -> str:
        """File and line."""
        return f"{self.file}:{self.line}"

    @property
    def root(self) -> str:
        """The module that has to be imported for it, as far as its first point."""
        return self.framework.packages[0] if self.framework.is_of_clients else self.path.partition(".")[0]

    @property
    def owner(self) -> str:
        """What a method is called of."""
        return re.split(r"\.(?:beta|messages)\.", self.path)[0]


def takers_of(module: Module) -> Iterator[Run]:
    """Yield the calls of a framework's own that are given something; its embeddings tell nobody of a call."""
    for call in module.calls:
        path = module.path_of(_bare(call.func))
        names = _given(call) if "Embedding" not in path else frozenset()
        for framework in owners_of(path) if names else ():
            yield Run(framework, module.path, call.lineno, path, names)


def runs_of(module: Module) -> Iterator[Run]:
    """Yield what a file calls, or derives its classes of, in the order of their lines."""
    for call in module.calls:
        path = module.path_of(_bare(call.func))
        framework = run_by(path)
        if framework is not None:
            yield Run(framework, module.path, call.lineno, path)
        elif isinstance(call.func, ast.Attribute):
            name = ast.unparse(call.func)
            for framework in run_by_method(name):
                yield Run(framework, module.path, call.lineno, name)
    for node in module.nodes:
        if isinstance(node, ast.ClassDef):
            for base in node.bases:
                path = module.path_of(_bare(base))
                framework = run_by(path)
                if framework is not None:
                    yield Run(framework, module.path, node.lineno, path)


class Own:
    """Which modules are the project's own, as seen from a file that imports them."""

    def __init__(self, project: Path, files: Set[str]) -> None:
        self._folder = project if project.is_dir() else project.parent
        self._files = files
        self._is_file = cache(lambda file: (self._folder / file).is_file())

    def others(self, imported: Mapping[str, Set[str]], runs: Iterable[Run]) -> dict[str, set[str]]:
        """Return what files import that is not the project's own, with the modules above it, by file."""
        called: dict[str, set[str]] = {}
        for run in runs:
            called.setdefault(run.file, set()).add(run.path)
        found = {
            file: {path for path in _whole(paths) if not self._is_own(path, file)}
            for file, paths in imported.items()
        }
        agents = {file: _of_agents(paths | called.get(file, set())) for file, paths in found.items()}
        if not self._are_the_sdks(agents):
            found = {file: paths - agents[file] for file, paths in found.items()}
        return {file: {above for path in paths for above in _above(path)} for file, paths in found.items()}

    def _are_the_sdks(self, agents: Mapping[str, Set[str]]) -> bool:
        """Tell whether the module ``agents`` is the SDK: by what only that has, or since nothing else is."""
        paths = {path for found in agents.values() for path in found}
        if any(path.split(".")[1:2] and path.split(".")[1] in _OF_SDK for path in paths):
            return True
        has_own = any({"agents", "agents.py"} & {*PurePosixPath(file).parts} for file in self._files)
        return bool(paths) and not has_own and installed_version(_SDK.distribution) is not None

    def _is_own(self, path: str, file: str) -> bool:
        found = self._found(path, file)
        parts = path.split(".")
        if found is None or parts[0] != _SDK.module or parts[-1] not in _OF_SDK | {"Agent"}:
            return found is not None
        try:  # a package of agents may stand where Python does not look for it
            source = (self._folder / found).read_bytes()
        except OSError:
            return True
        return re.search(rb"\b%s\b|import[ ]+\*" % parts[-1].encode(), source) is not None

    def _found(self, path: str, file: str) -> str | None:
        """Return the file of the project's that is imported."""
        parts = path.split(".")
        for folder in self._roots(file):
            for length in range(1, min(len(parts), 2) + 1):
                stem = "/".join([*folder, *parts[:length]])
                for found in (f"{stem}.py", f"{stem}/__init__.py"):
                    if self._is_file(found):
                        return found
        return None

    def _roots(self, file: str) -> Iterator[tuple[str, ...]]:
        """Yield the folders in which Python may look for modules; a package is none."""
        yield from ((), ("src",))
        for folder in PurePosixPath(file).parents:
            if folder.parts and not self._is_file((folder / "__init__.py").as_posix()):
                yield folder.parts


def _whole(paths: Set[str]) -> set[str]:
    """Return what is imported without the modules that it lies in."""
    above = {path.rpartition(".")[0] for path in paths}
    return {path for path in paths if path not in above}


def _above(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition(".")[0]


def _of_agents(paths: Set[str]) -> set[str]:
    return {path for path in paths if path.partition(".")[0] == _SDK.module}


def _bare(node: ast.expr) -> ast.expr:
    """Return a class without the types it is made for: ``Agent`` of ``Agent[Context]``."""
    return node.value if isinstance(node, ast.Subscript) else node


def _given(call: ast.Call) -> frozenset[str]:
    """Return the names that stand in a call's arguments."""
    return frozenset(
        getattr(node, "attr", getattr(node, "id", ""))
        for argument in (*call.args, *(word.value for word in call.keywords))
        for node in ast.walk(argument)
        if isinstance(node, (ast.Name, ast.Attribute))
    )
