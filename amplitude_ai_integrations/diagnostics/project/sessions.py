"""Sessions that a project opens by itself, tools it decorates, and what it may still say of its requests."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Final

from ..finding import Finding
from .kinds import ASGI_DOOR, FLASK_DOOR, WSGI_DOOR
from .module import Use
from .settings import MIDDLEWARE, VARIABLE, used_settings
from .sources import COMMERCIAL, PACKAGE, Sources

_AGENT_SETTING: Final = "AMPLITUDE_AI_AGENT_ID"


def opened(sources: Sources) -> list[str]:
    """Return where sessions of ours are opened by hand."""
    agents = {use.target for use in _methods(sources, "agent", "child")} - {""}
    return [use.place for use in _methods(sources, "session") if _is_of_agent(use, agents)]


def _methods(sources: Sources, *names: str) -> Iterator[Use]:
    for module in sources.modules:
        if PACKAGE in module.imported:
            for call in module.calls:
                if isinstance(call.func, ast.Attribute) and call.func.attr in names:
                    yield Use(module, call, call.func.attr, call)


def _is_of_agent(use: Use, agents: set[str]) -> bool:
    """Tell a session of an agent from one of a database: by whose it is, or by whom it is for."""
    call = use.call
    if call is None or not isinstance(call.func, ast.Attribute):
        return False
    owner = call.func.value
    if isinstance(owner, ast.Call):
        return isinstance(owner.func, ast.Attribute) and owner.func.attr in ("agent", "child")
    is_agent = ast.unparse(owner).rpartition(".")[2] in {name.rpartition(".")[2] for name in agents}
    return is_agent or any(word.arg in ("user_id", "session_id", "device_id") for word in call.keywords)


def decorated(sources: Sources) -> list[str]:
    """Return where functions are decorated as tools or steps."""
    return [
        use.place
        for use in sources.uses("tool", "observe")
        if use.module.path_of(use.node).startswith(PACKAGE)
    ]


def unanswered(sources: Sources, topic: str) -> Iterator[Finding]:
    """Say what our lines around requests do not know yet: whose they are, and of which conversation."""
    follows = sources.mentions("propagate_context") or sources.mentions("PROPAGATE_CONTEXT")
    for use in sources.uses(ASGI_DOOR, WSGI_DOOR, FLASK_DOOR):
        if use.call is None or any(word.arg is None for word in use.call.keywords):
            continue
        if not follows and not _says(sources, use, "session_id_resolver"):
            words = f"{use.name} has no session_id_resolver: each request is a session of its own."
            fix = f"session_id_resolver={_example(use, 'x-conversation-id')}"
            yield Finding(topic, "hint", words, fix, use.place)
        knows_user = use.name == FLASK_DOOR and "flask_login" in sources.imported
        if not knows_user and not _says(sources, use, "user_id_resolver"):
            words = f"{use.name} has no user_id_resolver: events have no user."
            yield Finding(
                topic,
                "hint",
                words,
                "user_id_resolver=a function of the request that returns who is signed in",
                use.place,
            )


def agentless(sources: Sources, topic: str, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Say that nothing tells which agent speaks in the requests."""
    lines = [
        use
        for use in sources.uses(ASGI_DOOR, WSGI_DOOR, FLASK_DOOR)
        if use.call is not None and not use.module.path_of(use.node).startswith(f"{COMMERCIAL}.")
    ]
    in_settings = [
        module.place(text)
        for modules in used_settings(sources, environment.get(VARIABLE))
        for module in modules
        for text in module.strings
        if text.value == MIDDLEWARE
    ]
    is_open = any(word.arg is None for use in lines if use.call is not None for word in use.call.keywords)
    if is_open or not (lines or in_settings) or _names_agent(sources):
        return
    if any(name.endswith(_AGENT_SETTING) for name in environment):
        return
    words = "No agent_id is given anywhere: events do not say which agent spoke."
    fix = 'agent_id="my-agent", beside amplitude_ai='
    if in_settings:
        fix = 'AMPLITUDE_AI = {"AGENT_ID": "my-agent", ...}'
    yield Finding(topic, "hint", words, fix, lines[0].place if lines else in_settings[0])


def _names_agent(sources: Sources) -> bool:
    if sources.mentions("AGENT_ID") or any(_methods(sources, "agent", "child")):
        return True
    return any(
        (isinstance(node, ast.keyword) and node.arg in ("agent", "agent_id"))
        or (isinstance(node, ast.Constant) and node.value == "agent_id")
        for module in sources.modules
        for node in module.nodes
    )


def _says(sources: Sources, use: Use, option: str) -> bool:
    given = use.call is not None and any(word.arg == option for word in use.call.keywords)
    return given or (use.name == FLASK_DOOR and sources.mentions(option.upper()))


def _example(use: Use, header: str) -> str:
    if use.name == WSGI_DOOR:
        return f"lambda environ: environ.get('HTTP_{header.upper().replace('-', '_')}')"
    return f"lambda request: request.headers.get('{header}')"
