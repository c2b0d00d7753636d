"""Lines of ours that cannot run as they are written: what they are given, and to whom."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator
from typing import Final

from ..finding import Finding
from .client import CLIENT
from .kinds import ASGI_DOOR, CELERY_DOOR, DOORS, DRAMATIQ_DOOR, FLASK_DOOR, WSGI_DOOR
from .module import Use
from .sources import PACKAGE, Sources

OPTIONS: Final = frozenset(
    {
        *("user_id_resolver", "device_id_resolver", "session_id_resolver", "browser_session_id_resolver"),
        *("agent", "agent_id", "agent_version", "env", "customer_org_id", "context", "groups"),
        *("track_session_events", "end_session", "flush_on_response", "include", "exclude"),
    }
)
_OWN: Final = {"app", "amplitude_ai"}
_ACCEPTED: Final = {
    **dict.fromkeys((ASGI_DOOR, WSGI_DOOR, FLASK_DOOR), OPTIONS | _OWN),
    CELERY_DOOR: frozenset(_OWN),
    DRAMATIQ_DOOR: frozenset(("amplitude_ai",)),
}
_PASS_ON: Final = ("add_middleware", "Middleware", "DefineMiddleware")


def misused(sources: Sources, topic: str) -> Iterator[Finding]:
    """Say which lines of ours raise an error, or do nothing, when they run."""
    for use in sources.uses(*DOORS):
        mistake = mistake_of(use)
        if mistake is not None:
            yield Finding(topic, "problem", *mistake, use.place)


def mistake_of(use: Use) -> tuple[str, str] | None:
    """Return what is wrong with a line and what mends it; ``None`` where it is right, or is not ours."""
    call, path = use.call, use.module.path_of(use.node)
    is_ours = path.startswith(f"{PACKAGE}.") and not path.startswith(f"{PACKAGE}.django.")
    if call is None or not is_ours or use.name not in _ACCEPTED:
        return None
    if isinstance(call.func, ast.Call) and getattr(call.func.func, "attr", "") == "middleware":
        app = ast.unparse(call.func.func.value)  # type: ignore[attr-defined]
        words = f"{use.name} is given to {app}.middleware(), which takes a function."
        return words, f"{app}.add_middleware({use.name}, amplitude_ai={CLIENT})"
    is_passed_on = use.node in call.args[:1] and _name(call.func) in _PASS_ON
    if not (is_passed_on or call.func is use.node):
        return None
    given = {word.arg for word in call.keywords}
    if None in given or any(isinstance(argument, ast.Starred) for argument in call.args):
        return None
    unknown = sorted(str(name) for name in given - _ACCEPTED[use.name])
    if "amplitude_ai" not in given and use.name != FLASK_DOOR:
        also = f", and has no option {unknown[0]}=" if unknown else ""
        return f"{use.name} is not given amplitude_ai={also}.", f"amplitude_ai={CLIENT}"
    if unknown:
        near = difflib.get_close_matches(unknown[0], sorted(_ACCEPTED[use.name]), 1)
        fix = f"{near[0]}=..." if near else f"There are {', '.join(sorted(_ACCEPTED[use.name]))}."
        return f"{use.name} has no option {unknown[0]}=.", fix
    return None


def _name(function: ast.expr) -> str:
    return getattr(function, "attr", getattr(function, "id", ""))
