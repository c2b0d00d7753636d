"""The model clients that a project makes of a vendor's own classes, and the line that would observe each."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final, NamedTuple

from ...registry import PROVIDERS, Integration
from .client import CLIENT
from .module import Module, Use
from .sources import PACKAGE, Sources

BEDROCK: Final = "bedrock-runtime"
_OPENAI: Final = PROVIDERS["openai"].module
# Those of which we have no class that takes their place.
_ONLY_WRAPPED: Final = ("AnthropicBedrock", "AnthropicVertex", "Client")


class Made(NamedTuple):
    """A place where a client is made, and what is said of it."""

    use: Use
    name: str
    words: str
    fix: str


def made_clients(sources: Sources) -> Iterator[Made]:
    """Yield all of them."""
    for provider, known in PROVIDERS.items():
        for use in sources.calls_of(known.module, known.clients):
            words = f"{use.name} is {known.module}'s own class"
            yield Made(use, use.name, words, _fix(provider, known, use))
    for module in sources.modules:
        for call in module.calls:
            if _is_of_bedrock(module, call):
                use = Use(module, call, BEDROCK, call)
                yield Made(use, BEDROCK, f"The {BEDROCK} client is boto3's own", _wrapping(use))


def _is_of_bedrock(module: Module, call: ast.Call) -> bool:
    """Tell ``boto3.client("bedrock-runtime")``, also of a session, under whatever name that is known."""
    if "client" not in (module.path_of(call.func).rpartition(".")[2], getattr(call.func, "attr", "")):
        return False
    named = (word.value for word in call.keywords if word.arg == "service_name")
    services = [given for given in (*call.args[:1], *named) if isinstance(given, ast.Constant)]
    return any(given.value == BEDROCK for given in services)


def _fix(provider: str, known: Integration, use: Use) -> str:
    if use.name in _ONLY_WRAPPED:
        return _wrapping(use)
    home = PACKAGE if known.module == _OPENAI else f"{PACKAGE}.providers.{provider}"
    target = _target(use)
    has_more = use.call is not None and (use.call.args or use.call.keywords)
    made = f"{target} = {use.name}({'..., ' if has_more else ''}amplitude={CLIENT})"
    instead = f"from {home} import {use.name}   # instead of: from {known.module} import {use.name}"
    return f"{instead}\n{made}\n# or, for a client made elsewhere: wrap({target}, {CLIENT})"


def _wrapping(use: Use) -> str:
    return f"from {PACKAGE} import wrap\nwrap({_target(use)}, {CLIENT})   # below the line that makes it"


def _target(use: Use) -> str:
    return use.target or "client"
