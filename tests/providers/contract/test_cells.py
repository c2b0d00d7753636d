"""No cell of the matrix is left out without a reason, and no reason is given for a cell that there is."""

from __future__ import annotations

import pytest

from amplitude_ai_integrations import registry

from . import PROVIDERS
from .cells import cells, first_apis, over, ways
from .conftest import Stand
from .provider import CELLS, DOORS, KINDS, Ask

every_provider = pytest.mark.parametrize("provider", PROVIDERS)


def test_every_provider_is_described() -> None:
    assert set(PROVIDERS) >= set(registry.PROVIDERS)


@every_provider
def test_what_a_provider_lacks_is_named_with_a_reason(provider: str) -> None:
    known = PROVIDERS[provider]
    parts = [*known.apis.values(), *known.ways.values(), *known.async_ways.values()]
    reasons = {**known.lacks}
    for part in parts:
        reasons.update(part.lacks)
    assert set(reasons) <= CELLS
    assert all(reasons.values())


@every_provider
def test_every_kind_of_client_and_way_in_has_its_calls_or_a_reason(provider: str) -> None:
    known = PROVIDERS[provider]
    for name, api in known.apis.items():
        lacking = {**known.lacks, **api.lacks}
        expected = {(kind, door) for kind in KINDS for door in DOORS if not {kind, door} & {*lacking}}
        found = {(cell[2], cell[3]) for cell in cells() if cell[:2] == (provider, name)}
        assert found == expected
        assert ("async" in lacking) == (api.whole_async is None)
        assert ("fail" in lacking) == (api.fails is None)
    assert ("async" in known.lacks) == (not known.async_ways)
    assert {cell[1] for cell in ways() if cell[0] == provider} == {*known.ways, *known.async_ways}


@over("provider api kind door", first_apis("streamed", kinds=["sync"], doors=["wrap"]))
def test_only_streams_that_are_no_context_managers_are_left_out_of_with(
    provider: str, api: str, kind: str, door: str, stand: Stand
) -> None:
    stream, _events = stand.run(kind, door, stand.call(api, kind, Ask(), "opened"))
    stand.provider.close_stream(stream)
    assert hasattr(stream, "__enter__") != ("with" in stand.provider.lacks)
