"""Which cells of the matrix there are: all but those of which a provider says why it lacks them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from . import PROVIDERS
from .provider import DOORS, KINDS, Api, Provider, Way

Cell = tuple[str, ...]


def lacks(provider: Provider, part: Api | Way, *names: str) -> bool:
    """Tell whether a provider, or its API or way, lacks any of these."""
    return any(name in provider.lacks or name in part.lacks for name in names)


def cells(*needs: str, kinds: Iterable[str] = KINDS, doors: Iterable[str] = DOORS) -> list[Cell]:
    """Return (provider, API, kind of client, way in) for all that have what a test needs."""
    return [
        (provider.name, api, kind, door)
        for provider in PROVIDERS.values()
        for api, part in provider.apis.items()
        for kind in kinds
        for door in doors
        if not lacks(provider, part, kind, door, *needs)
    ]


def first_apis(*needs: str, kinds: Iterable[str] = KINDS, doors: Iterable[str] = DOORS) -> list[Cell]:
    """Return the cells of each provider's first API, for what depends on no API."""
    first = {provider.name: next(iter(provider.apis)) for provider in PROVIDERS.values()}
    return [cell for cell in cells(*needs, kinds=kinds, doors=doors) if first[cell[0]] == cell[1]]


def ways(*needs: str, kinds: Iterable[str] = KINDS, doors: Iterable[str] = DOORS) -> list[Cell]:
    """Return (provider, way, kind of client, way in) likewise."""
    return [
        (provider.name, name, kind, door)
        for provider in PROVIDERS.values()
        for kind in kinds
        for name, way in ways_of(provider, kind).items()
        for door in doors
        if not lacks(provider, way, kind, door, *needs)
    ]


def ways_of(provider: Provider, kind: str) -> dict[str, Way]:
    """Return the ways to call with one kind of client."""
    return dict(provider.ways if kind == "sync" else provider.async_ways)


def over(names: str, rows: Iterable[Cell]) -> Any:
    """Run a test for each row."""
    return pytest.mark.parametrize(names.split(), [pytest.param(*row, id="-".join(row)) for row in rows])
