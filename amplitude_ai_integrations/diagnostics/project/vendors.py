"""The model clients that a project makes of a vendor's own classes, and the line that would observe each."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final, NamedTuple

from ...registry import PROVIDERS
from .classes import BEDROCK, LITELLM, LITELLM_DOOR, OURS, VENDORS
from .client import CLIENT
from .module import Module, Use
from .sources import PACKAGE, Sources
from .unseen import BY_HAND

_OPENAI: Final = PROVIDERS["openai"].module
_RESOURCES: Final = ("chat.completions", "beta.chat.completions", "completions", "responses", "embeddings")
_CALLS: Final = ("create", "parse", "stream")
_OF_LITELLM: Final = (
    *("completion", "acompletion", "text_completion", "atext_completion", "embedding", "aembedding"),
    *("responses", "aresponses", "Router"),
)
_ASYNCHRONOUS: Final = {"aioboto3", "aiobotocore"}


class Made(NamedTuple):
    """A place where a client is made, and what is said of it; ``name`` is what a line observes it by.

    ``is_wrappable`` is whether there is an object that can be given to ``wrap()``.
    """

    use: Use
    name: str
    words: str
    fix: str
    is_wrappable: bool = True


def made_clients(sources: Sources) -> Iterator[Made]:
    """Yield all of them."""
    for provider, names in VENDORS.items():
        package = PROVIDERS[provider].module
        for use in sources.calls_of(package, names):
            fix = _swapping(use) if use.name in OURS else _wrapping(use)
            yield Made(use, use.name, f"{use.name} is {package}'s own class", fix)
    for module in sources.modules:
        for call in module.calls:
            if _is_of_bedrock(module, call):
                yield _of_bedrock(Use(module, call, BEDROCK, call))
    yield from _of_modules(sources)


def misnamed(sources: Sources) -> Iterator[Made]:
    """Yield the calls of classes that a vendor has, under our package's name, and we have not."""
    for provider, names in VENDORS.items():
        package = PROVIDERS[provider].module
        for use in sources.calls_of(PACKAGE, tuple(name for name in names if name not in OURS)):
            home = f"from {package} import {use.name}   # it is the vendor's alone"
            made = (
                f"{target_of(use)} = wrap({use.name}(...), {CLIENT})   # or, for all clients: patch({CLIENT})"
            )
            fix = f"from {PACKAGE} import wrap\n{home}\n{made}"
            yield Made(use, use.name, f"{PACKAGE} has no {use.name}", fix)


def _of_modules(sources: Sources) -> Iterator[Made]:
    """Yield the first call in each file of a client that a vendor's module makes by itself."""
    for use in _first_of_each(_calls_of_module(sources)):
        called = use.module.path_of(use.call.func) if use.call is not None else ""
        fix = f"from {PACKAGE} import patch\npatch({CLIENT})   # above the first call"
        yield Made(use, "OpenAI", f"{called}() is a call of openai's own client", fix, is_wrappable=False)
    for use in _first_of_each(sources.calls_of(LITELLM, _OF_LITELLM)):
        fix = f"from {PACKAGE}.providers.litellm import {LITELLM_DOOR}\nimport {LITELLM}\n"
        fix += f"{LITELLM}.callbacks.append({LITELLM_DOOR}({CLIENT}))   # docs/gateways.md"
        yield Made(use, LITELLM, f"{LITELLM}.{use.name} is {LITELLM}'s own", fix, is_wrappable=False)


def _first_of_each(uses: Iterator[Use]) -> Iterator[Use]:
    first: dict[str, Use] = {}
    for use in uses:
        first.setdefault(use.module.path, use)
    yield from first.values()


def _calls_of_module(sources: Sources) -> Iterator[Use]:
    """Yield ``openai.chat.completions.create()`` and the like, where ``openai`` is the module."""
    for use in sources.calls_of(_OPENAI, _CALLS):
        path = use.module.path_of(use.call.func) if use.call is not None else ""
        resource = path.removeprefix(f"{_OPENAI}.").rpartition(".")[0]
        root = next(node.id for node in ast.walk(use.node) if isinstance(node, ast.Name))
        if resource in _RESOURCES and root in use.module.imports and not use.module.gives(root):
            yield use


def _is_of_bedrock(module: Module, call: ast.Call) -> bool:
    """Tell ``boto3.client("bedrock-runtime")``, also of a session, under whatever name that is known."""
    called = {module.path_of(call.func).rpartition(".")[2], getattr(call.func, "attr", "")}
    if called.isdisjoint(("client", "create_client")):
        return False
    named = (word.value for word in call.keywords if word.arg in ("service_name", "service"))
    services = [given for given in (*call.args[:1], *named) if isinstance(given, ast.Constant)]
    return any(given.value == BEDROCK for given in services)


def _of_bedrock(use: Use) -> Made:
    if not _is_asynchronous(use):
        return Made(use, BEDROCK, f"The {BEDROCK} client is boto3's own", _wrapping(use))
    words = f"An asynchronous {BEDROCK} client can be neither wrapped nor patched"
    return Made(use, "", words, BY_HAND, is_wrappable=False)


def _is_asynchronous(use: Use) -> bool:
    """Tell a client of aioboto3's or aiobotocore's, which ``async with`` opens, from one of boto3's."""
    statement = next((outer for outer in use.module.above(use.node) if isinstance(outer, ast.stmt)), None)
    if isinstance(statement, ast.AsyncWith):
        return True
    return bool(_ASYNCHRONOUS & use.module.imported) and "boto3" not in use.module.imported


def _swapping(use: Use) -> str:
    target, more = target_of(use), ellipsis_of(use)
    home = use.module.path_of(use.call.func).rpartition(".")[0] if use.call is not None else ""
    made = f"{target} = {use.name}({more}amplitude={CLIENT})"
    instead = f"from {PACKAGE} import {use.name}   # instead of: from {home} import {use.name}"
    return f"{instead}\n{made}\n# or, for a client made elsewhere: wrap({target}, {CLIENT})"


def _wrapping(use: Use) -> str:
    wrapped = f"wrap({target_of(use)}, {CLIENT})   # below the line that makes it"
    return f"from {PACKAGE} import wrap\n{wrapped}\n# or, for all clients of the program: patch({CLIENT})"


def target_of(use: Use) -> str:
    """Return the name to give to a client in a fix."""
    return use.target or "client"


def ellipsis_of(use: Use) -> str:
    """Return what stands in a fix for the arguments that a call has."""
    return "..., " if use.call is not None and (use.call.args or use.call.keywords) else ""
