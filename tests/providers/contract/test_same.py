"""The caller sees exactly what the bare client shows: answers, chunks, errors, what is sent, and the streams."""

from __future__ import annotations

from typing import Any

from . import PROVIDERS
from .answers import IMAGE
from .cells import Cell, cells, over, ways, ways_of
from .conftest import Stand
from .provider import DOORS, Ask, Tool
from .uses import Use, catching

NEEDS: dict[str, tuple[str, ...]] = {
    "plain": (),
    "nousage": (),
    "think": ("think",),
    "tool": ("tool",),
    "result": ("tool",),
    "image": ("image",),
}


def _ask(stand: Stand, api: str, what: str) -> Ask:
    return {
        "plain": Ask(),
        "nousage": Ask("nousage", system=None),
        "think": Ask("think"),
        "tool": Ask("think tool", tool=Tool()),
        "result": Ask("tool", tool=Tool(), ran=stand.api(api).ran),
        "image": Ask("Look", image=IMAGE),
    }[what]


def _rows(*needs: str) -> list[Cell]:
    """What is plain by every way in, and the rest by one."""
    return [
        (*cell, what)
        for what, more in NEEDS.items()
        for cell in cells(*needs, *more, doors=DOORS if what == "plain" else ["patch"])
    ]


def _twice(stand: Stand, kind: str, door: str, use: Use) -> tuple[Any, Any]:
    """Return what an observed client shows, and a bare one."""
    ours, _events = stand.run(kind, door, use)
    stand.unpatch()
    theirs, _none = stand.run(kind, "bare", use)
    return ours, theirs


def _same_requests(stand: Stand) -> None:
    sent = stand.provider.requests(stand.fake)
    half = len(sent) // 2
    assert half > 0
    assert sent[:half] == sent[half:]


@over("provider api kind door what", _rows())
def test_a_whole_answer_and_what_is_sent_for_it(
    provider: str, api: str, kind: str, door: str, what: str, stand: Stand
) -> None:
    ours, theirs = _twice(stand, kind, door, stand.call(api, kind, _ask(stand, api, what)))
    assert type(ours) is type(theirs)
    assert stand.provider.plain(ours) == stand.provider.plain(theirs)
    _same_requests(stand)


@over("provider api kind door what", _rows("streamed"))
def test_the_chunks_of_a_stream_and_what_is_sent_for_it(
    provider: str, api: str, kind: str, door: str, what: str, stand: Stand
) -> None:
    use = stand.call(api, kind, _ask(stand, api, what), "streamed")
    ours, theirs = _twice(stand, kind, door, use)
    assert [type(chunk) for chunk in ours] == [type(chunk) for chunk in theirs]
    plain = stand.provider.plain
    assert [plain(chunk) for chunk in ours] == [plain(chunk) for chunk in theirs]
    _same_requests(stand)


@over("provider way kind door", ways())
def test_what_each_way_shows(provider: str, way: str, kind: str, door: str, stand: Stand) -> None:
    known = ways_of(stand.provider, kind)[way]
    given = stand.api(known.api).arguments(Ask("think"))
    ours, theirs = _twice(stand, kind, door, lambda client: known.run(client, **given))
    assert ours == theirs
    assert str(ours) == str(theirs)
    _same_requests(stand)


def _told(error: BaseException | None) -> Any:
    """Return what can be seen of an error and of those that led to it, but not where it was raised."""
    if error is None:
        return None
    plain = (str, int, dict, type(None))
    own = {name: repr(value) for name, value in vars(error).items() if isinstance(value, plain)}
    return type(error), str(error), own, _told(error.__cause__), _told(error.__context__)


def _failures() -> list[Cell]:
    needs: dict[str, tuple[str, ...]] = {"whole": (), "streamed": ("streamed",)}
    failing = [
        (*cell, words, how) for how in needs for cell in cells(*needs[how]) for words in ("error429", "cut")
    ]
    raising = [cell for cell in cells("streamed", "fail") if PROVIDERS[cell[0]].apis[cell[1]].fails.errors]
    return [*failing, *((*cell, "fail", "streamed") for cell in raising)]


@over("provider api kind door words how", _failures())
def test_an_error(provider: str, api: str, kind: str, door: str, words: str, how: str, stand: Stand) -> None:
    ours, theirs = _twice(stand, kind, door, catching(stand.call(api, kind, Ask(words), how), kind))
    assert _told(ours) == _told(theirs)


def _leaving(stand: Stand, api: str, kind: str, how: str) -> Use:
    """Return what leaves a stream in one way, and then tells its state and what can still be read of it."""
    # What comes after the second piece is not there yet when the stream is closed, or else chance would tell.
    begin = stand.call(api, kind, Ask("Hi" if how == "break" else "stall"), "opened")
    provider, piece = stand.provider, stand.api(api).piece

    def left(stream: Any) -> Any:
        for chunk in stream:
            if piece(chunk) == "two ":
                break

    def rest(stream: Any) -> Any:
        try:
            return [piece(chunk) for chunk in stream]
        except Exception as error:  # noqa: BLE001 - a closed stream may refuse, as the vendor has it
            return type(error), str(error)

    def use(client: Any) -> Any:
        stream = begin(client)
        if how == "with":
            with stream as inner:
                is_same = inner is stream
                left(inner)
        else:
            is_same = iter(stream) is stream
            left(stream)
            if how == "close":
                provider.close_stream(stream)
        state = provider.is_closed(stream)
        return type(stream).__qualname__, is_same, state, rest(stream), provider.is_closed(stream)

    async def left_later(stream: Any) -> Any:
        async for chunk in stream:
            if piece(chunk) == "two ":
                break

    async def rest_later(stream: Any) -> Any:
        try:
            return [piece(chunk) async for chunk in stream]
        except Exception as error:  # noqa: BLE001 - as above
            return type(error), str(error)

    async def use_later(client: Any) -> Any:
        stream = await begin(client)
        if how == "with":
            async with stream as inner:
                is_same = inner is stream
                await left_later(inner)
        else:
            is_same = aiter(stream) is stream
            await left_later(stream)
            if how == "close":
                await provider.aclose_stream(stream)
        state = provider.is_closed(stream)
        return type(stream).__qualname__, is_same, state, await rest_later(stream), provider.is_closed(stream)

    return use if kind == "sync" else use_later


def _leavings() -> list[Cell]:
    needs = {"break": (), "close": (), "with": ("with",)}
    return [(*cell, how) for how, more in needs.items() for cell in cells("streamed", *more)]


@over("provider api kind door how", _leavings())
def test_a_stream_that_is_left(provider: str, api: str, kind: str, door: str, how: str, stand: Stand) -> None:
    ours, theirs = _twice(stand, kind, door, _leaving(stand, api, kind, how))
    assert ours == theirs


@over("provider api kind door", cells("streamed"))
def test_a_stream_is_still_of_the_vendors_class(
    provider: str, api: str, kind: str, door: str, stand: Stand
) -> None:
    begin = stand.call(api, kind, Ask(), "opened")

    async def use_later(client: Any) -> Any:
        stream = await begin(client)
        await stand.provider.aclose_stream(stream)
        return stream

    def use(client: Any) -> Any:
        stream = begin(client)
        stand.provider.close_stream(stream)
        return stream

    ours, theirs = _twice(stand, kind, door, use if kind == "sync" else use_later)
    assert isinstance(ours, type(theirs))
    assert (type(ours).__module__, type(ours).__qualname__) == (
        type(theirs).__module__,
        type(theirs).__qualname__,
    )
    assert _public(ours) == _public(theirs)


def _public(value: Any) -> list[str]:
    return [name for name in dir(value) if not name.startswith("_")]
