"""Run by Python at the start of each process below ``amplitude-ai-instrument``, which puts this folder first.

First comes the ``sitecustomize`` that would have been found otherwise. From then on a vendor's clients are
observed as soon as its package is imported. A program that imports none pays for this file alone, so it needs
nothing that is not there at that time. Every Python from 3.6 on can read it: a program may start others.
"""

# ruff: noqa: I002 - the oldest of them know no such import

import os
import sys
from _thread import get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_FOLDER = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib is not there at that time
_ON = ("1", "on", "true", "yes")
# The module after whose import a provider's clients can be observed; mistralai has moved.
_AWAITED = {
    "anthropic": "anthropic",
    "boto3": "bedrock",
    "google.genai": "gemini",
    "mistralai": "mistral",
    "mistralai.client": "mistral",
    "openai": "openai",
}


class _Arrivals:
    """Finds modules as the other finders do, and tells when one that is awaited was imported."""

    def __init__(self) -> None:
        self._asking: set[tuple[int, str]] = set()

    def find_spec(self, name: str, path: "Any" = None, target: "Any" = None) -> "Any":
        """Return where an awaited module is; no other is looked for."""
        asking = (get_ident(), name)
        if name not in _AWAITED or asking in self._asking:  # a finder that asks all others would ask this one
            return None
        self._asking.add(asking)
        try:
            spec = self._found(name, path, target)
        finally:
            self._asking.discard(asking)
        if getattr(spec, "origin", None) and hasattr(spec.loader, "exec_module"):  # not a mere folder
            spec.loader = _Loader(spec.loader, _AWAITED[name])
        return spec

    def _found(self, name: str, path: "Any", target: "Any") -> "Any":
        others = [finder for finder in sys.meta_path if finder is not self and hasattr(finder, "find_spec")]
        specs = (finder.find_spec(name, path, target) for finder in others)
        return next((spec for spec in specs if spec is not None), None)


class _Loader:
    """A module's loader, until it has run the module."""

    def __init__(self, loader: "Any", provider: str) -> None:
        self._loader = loader
        self._provider = provider

    def exec_module(self, module: "Any") -> None:
        """Run a module, which sees its own loader, and tell that it is there."""
        module.__loader__ = module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        _observe(self._provider)

    def __getattr__(self, name: str) -> "Any":
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._loader, name)


def _observe(provider: str) -> None:
    try:
        from amplitude_ai_integrations.patching.zero_code import arrived

        arrived(provider)
    except Exception as error:  # noqa: BLE001 - the program's own import must not fail of this
        if _is_on("AMPLITUDE_AI_DEBUG"):
            what = f"{provider} is not observed by {sys.executable}: {error}"
            print(f"amplitude-ai-instrument: {what}", file=sys.stderr)


def _is_on(variable: str) -> bool:
    return os.environ.get(variable, "").strip().lower() in _ON


def _run_the_other() -> None:
    """Run the ``sitecustomize`` that this one stands before, which may raise as it would without it."""
    own = sys.modules.pop(__name__)
    sys.path[:] = [folder for folder in sys.path if folder != _FOLDER]
    try:
        __import__(__name__)
    except ModuleNotFoundError as error:
        if error.name != __name__:
            raise
    finally:
        sys.modules.setdefault(__name__, own)


def _begin() -> None:
    if _is_on("AMPLITUDE_AI_AUTO_PATCH"):
        sys.meta_path.insert(0, _Arrivals())
        for provider in {provider: None for name, provider in _AWAITED.items() if name in sys.modules}:
            _observe(provider)


try:
    _run_the_other()
finally:
    _begin()
