"""Our own functions made to fail, one after the other, on a path that a program takes through them."""

from __future__ import annotations

import gc
import sys
import threading
import types
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from typing import Any

import amplitude_ai_integrations

ROOT = amplitude_ai_integrations.__path__[0]


def _here(call: Callable[[], object]) -> None:
    call()


def functions_passed(
    run: Callable[[], Any], doors: Set[str], everywhere: Callable[[Callable[[], object]], None] = _here
) -> list[list[types.FunctionType]]:
    """Return the functions of ours that `run` passes; those with the same code belong together.

    `doors` are left out, by their qualified names: where the program enters our code, and each of which
    hands its inner work to a shield. So are wrappers around functions that are not ours. `everywhere` calls
    something in each thread there is already that `run` works in.
    """
    # By identity: the codes of functions that read alike are equal, in whatever files they are.
    codes: dict[int, types.CodeType] = {}

    def look(frame: types.FrameType, event: str, _argument: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(ROOT):
            codes[id(frame.f_code)] = frame.f_code

    everywhere(lambda: sys.setprofile(look))
    threading.setprofile(look)
    run()
    threading.setprofile(None)  # type: ignore[arg-type]
    everywhere(lambda: sys.setprofile(None))
    found: dict[int, list[types.FunctionType]] = {}
    for item in gc.get_objects():
        # By its type, since asking a lazy object of a vendor's for its class may load what it stands for.
        if type(item) is types.FunctionType and id(item.__code__) in codes:
            found.setdefault(id(item.__code__), []).append(item)
    return [
        functions
        for functions in found.values()
        if functions[0].__qualname__ not in doors and not hasattr(functions[0], "__wrapped__")
    ]


@contextmanager
def raising(functions: list[types.FunctionType]) -> Iterator[None]:
    """Make these functions raise, whatever name they were imported under."""

    def fault(*_given: Any, **_more: Any) -> Any:
        raise RuntimeError("injected")  # a builtin: it runs among the globals of the function it stands for

    code = functions[0].__code__
    for function in functions:
        function.__code__ = fault.__code__.replace(co_freevars=code.co_freevars)
    try:
        yield
    finally:
        for function in functions:
            function.__code__ = code
