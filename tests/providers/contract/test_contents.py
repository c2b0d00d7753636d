"""What a call says beyond words: reasoning, tools and their results, images."""

from __future__ import annotations

from ...fakes.model_server import TEXT, THOUGHT
from ..expected import tool, user
from .answers import IMAGE, TOLD_IMAGE, TOLD_TOOL, asking, calls, read, whole
from .cells import cells, over
from .conftest import Stand
from .provider import Ask, Tool
from .uses import each


def _rows(*needs: str) -> list[tuple[str, ...]]:
    rows = [(*cell, "whole") for cell in cells(*needs, doors=["swap", "patch"])]
    return rows + [(*cell, "streamed") for cell in cells("streamed", *needs, doors=["swap", "patch"])]


@over("provider api kind door how", _rows("think"))
def test_reasoning_is_told(provider: str, api: str, kind: str, door: str, how: str, stand: Stand) -> None:
    known, ask = stand.api(api), Ask("think")
    _nothing, events = stand.run(kind, door, stand.call(api, kind, ask, how))
    thought = whole(known) if how == "whole" else read(known, ask, TEXT, TEXT + THOUGHT)
    assert events == [user("think"), {**thought, **known.thinks}]


@over("provider api kind door how", _rows("tool"))
def test_a_loop_of_tools_is_told_once(
    provider: str, api: str, kind: str, door: str, how: str, stand: Stand
) -> None:
    known = stand.api(api)
    first, second = Ask("tool", tool=Tool()), Ask("tool", tool=Tool(), ran=known.ran)
    calls_ = [stand.call(api, kind, ask, how) for ask in (first, second)]
    _nothing, events = stand.run(kind, door, each(calls_, kind))
    if how == "whole":
        asked, answered = whole(known, **asking(known)), whole(known, turn_id=4, **TOLD_TOOL)
    else:
        written = "".join(str(call) for call in calls(known.ran))
        asked = read(known, first, "", written, **asking(known))
        answered = read(known, second, TEXT, turn_id=4, **TOLD_TOOL)
    ran = {"tool_input": known.ran.arguments, "tool_output": known.ran.result}
    assert events == [user("tool"), asked, tool(turn_id=3, **ran), answered]


@over("provider api kind door how", _rows("image"))
def test_an_image_is_told_by_its_kind_and_size(
    provider: str, api: str, kind: str, door: str, how: str, stand: Stand
) -> None:
    known, ask = stand.api(api), Ask("Look", image=IMAGE)
    _nothing, events = stand.run(kind, door, stand.call(api, kind, ask, how))
    answered = whole(known) if how == "whole" else read(known, ask, TEXT)
    assert events == [user("Look", **TOLD_IMAGE), answered]
