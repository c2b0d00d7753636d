"""What is taken back is what it was: the same objects, and nothing where nothing was, whoever else was there."""

from __future__ import annotations

import itertools
import sys
from functools import wraps
from typing import Any

import openai
import pytest
from openai.resources.chat.completions import Completions

from amplitude_ai_integrations import AmplitudeAI, MemorySink, patch, patching, unpatch
from amplitude_ai_integrations.patching.ways import WAYS

from ..providers.expected import kinds
from .calling import say

VENDORS = ("anthropic", "boto3", "botocore", "google", "mistralai", "openai")
NAMES = [way.name for ways in WAYS.values() for way in ways]
Attributes = dict[type, dict[str, Any]]


def attributes() -> Attributes:
    """Return everything that the classes of the vendors have themselves, but for those of mere values."""
    names = [name for name in sys.modules if name.partition(".")[0] in VENDORS and "types" not in name]
    modules = [sys.modules[name] for name in names]
    kinds_ = {kind for module in modules for kind in [*vars(module).values()] if issubclass(type(kind), type)}
    return {kind: dict(vars(kind)) for kind in kinds_ if kind.__module__.partition(".")[0] in VENDORS}


def changed(before: Attributes) -> set[str]:
    """Return what has another value, or came, or went; what Python or pydantic note of a class do not count."""
    found: set[str] = set()
    for kind, had in before.items():
        has = dict(vars(kind))
        names = {name for name in had.keys() | has.keys() if had.get(name) is not has.get(name)}
        found |= {f"{kind.__qualname__}.{name}" for name in names if not name.startswith(("_abc", "__"))}
    return found


@pytest.fixture(scope="module")
def originals() -> Attributes:
    """Everything as the vendors made it; all modules that are patched have been imported."""
    patch(AmplitudeAI(sink=MemorySink()))
    unpatch()
    return attributes()


@pytest.mark.parametrize("name", NAMES)
def test_each_line_changes_something_and_takes_it_back(
    ai: AmplitudeAI, originals: Attributes, name: str
) -> None:
    getattr(patching, f"patch_{name}")(ai)
    assert changed(originals)
    getattr(patching, f"unpatch_{name}")()
    assert changed(originals) == set()


def test_all_lines_are_taken_back_at_once(ai: AmplitudeAI, originals: Attributes) -> None:
    for _ in range(2):
        patch(ai)
        patch(ai)
        unpatch()
        unpatch()
        assert changed(originals) == set()


@pytest.mark.parametrize("order", [*itertools.permutations(("openai", "async_openai", "azure_openai"))])
def test_lines_of_one_vendor_are_taken_back_in_any_order(
    ai: AmplitudeAI, originals: Attributes, order: tuple[str, ...]
) -> None:
    patch(ai)
    patching.unpatch_anthropic()
    for name in order:
        getattr(patching, f"unpatch_{name}")()
    for name in ("gemini", "mistral", "bedrock"):
        getattr(patching, f"unpatch_{name}")()
    assert changed(originals) == set()


class Other:
    """Another tool that patches a method, and puts back what it found."""

    def __init__(self, owner: Any, name: str) -> None:
        self.calls = 0
        self._owner, self._name = owner, name
        self._is_own = name in vars(owner)
        self._found = getattr(owner, name)

        @wraps(self._found)
        def counting(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            return self._found(*args, **kwargs)

        self.put = counting
        setattr(owner, name, counting)

    def leave(self) -> None:
        if self._is_own:
            setattr(self._owner, self._name, self._found)
        else:
            delattr(self._owner, self._name)


PLACES = [(openai.OpenAI, "request"), (Completions, "create")]


@pytest.mark.parametrize(("owner", "name"), PLACES)
def test_a_patch_of_others_below_is_there_again(
    ai: AmplitudeAI, sink: MemorySink, originals: Attributes, client: Any, owner: Any, name: str
) -> None:
    other = Other(owner, name)
    patch(ai)
    say(client)
    unpatch()
    assert vars(owner)[name] is other.put
    say(client)
    assert (other.calls, kinds(sink)) == (2, ["user", "answer"])
    other.leave()
    assert changed(originals) == set()


@pytest.mark.parametrize(("owner", "name"), PLACES)
def test_a_patch_of_others_above_stays_and_ours_below_sees_nothing(
    ai: AmplitudeAI, sink: MemorySink, originals: Attributes, client: Any, owner: Any, name: str
) -> None:
    patch(ai)
    other = Other(owner, name)
    unpatch()
    assert vars(owner)[name] is other.put
    say(client)
    assert (other.calls, kinds(sink)) == (1, [])
    patch(ai)
    say(client)
    assert (other.calls, kinds(sink)) == (2, ["user", "answer"])
    unpatch()
    other.leave()
    unpatch()
    assert changed(originals) == set()


def test_a_patch_of_others_that_puts_ours_back_in_our_absence_brings_no_events(
    ai: AmplitudeAI, sink: MemorySink, originals: Attributes, client: Any
) -> None:
    patch(ai)
    other = Other(openai.OpenAI, "request")
    unpatch()
    other.leave()
    say(client)
    assert kinds(sink) == []
    unpatch()
    assert changed(originals) == set()


def test_ways_back_do_not_pile_up(ai: AmplitudeAI) -> None:
    for _ in range(200):
        patching.patch_openai(ai)
        unpatch()
    assert len(patching.process.patches._below) <= 1_000
