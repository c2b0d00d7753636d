"""In `metadata_only` no word of a call leaves, whatever its provider and however it is observed."""

from __future__ import annotations

import base64
import json
import uuid
from dataclasses import replace
from typing import Any

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink

from ..expected import Event, kinds
from .cells import cells, lacks, over
from .conftest import Stand
from .provider import Api, Ask, Provider, Tool
from .uses import Use, each

PRIVATE = AIConfig(content_mode="metadata_only")  # type: ignore[arg-type]  # a string as people write it

# Where a person or a model may have written something, and which fields of which events tell it in full.
PLACES: dict[str, tuple[tuple[str, str], ...]] = {
    "user": (("user", "llm_message"),),
    "system": (("answer", "system_prompt"),),
    "tool-description": (("answer", "tool_definitions"),),
    "tool-parameter": (("answer", "tool_definitions"),),
    "argument": (("answer", "tool_calls"), ("tool", "tool_input")),
    "result": (("tool", "tool_output"),),
    "answer": (("answer", "llm_message"),),
    "thought": (("answer", "reasoning_content"),),
    "refusal": (("answer", "error_message"),),
    "property": (("user", "note"), ("answer", "note")),
    "tag": (("user", "tags"), ("answer", "tags")),
    "context": (("user", "context"), ("answer", "context")),
}
WORDS = {place: f"canary{number}{place.replace('-', '')}" for number, place in enumerate(PLACES)}
IMAGE = base64.b64encode(b"a picture of a canary").decode()

TOOL = Tool(description=WORDS["tool-description"], parameter=WORDS["tool-parameter"])
ARGUMENTS = json.dumps({"city": WORDS["argument"]}, separators=(",", ":"))
ANSWER = f"{WORDS['user']} think:{WORDS['thought']} echo:{WORDS['answer']}"
ASKING = f"{WORDS['user']} think:{WORDS['thought']} tool:{ARGUMENTS}"


def _asks(api: Api) -> list[Ask]:
    """Return what says each word, whether it is answered or refused."""
    call_id = f"call-{uuid.uuid4()}" if api.ran.call_id else api.ran.call_id
    ran = replace(api.ran, call_id=call_id, arguments=ARGUMENTS, result=WORDS["result"])
    known = Ask(system=WORDS["system"])
    asks = [replace(known, words=f"{word} {WORDS['refusal']}") for word in ("error429", "fail")]
    asks.append(replace(known, words=ANSWER))
    if "tool" not in api.lacks:
        asks += [replace(known, words=ASKING, tool=TOOL), replace(known, words=ANSWER, tool=TOOL, ran=ran)]
    if "image" not in api.lacks:
        asks.append(replace(known, words=WORDS["user"], image=IMAGE))
    return asks


def _saying_everything(stand: Stand, api: str, kind: str) -> Use:
    """Return what makes calls that say each word, whole and streamed, succeeding and failing."""
    more = {"amplitude_event_properties": {"note": WORDS["property"]}, "amplitude_user_id": "u"}
    hows = ["whole"] if "streamed" in stand.api(api).lacks else ["whole", "streamed"]
    asks = _asks(stand.api(api))
    return each(
        [_whatever_comes(stand.call(api, kind, ask, how, **more), kind) for how in hows for ask in asks], kind
    )


def _whatever_comes(use: Use, kind: str) -> Use:
    """Return what does not mind an error of the vendor's."""

    def use_now(client: Any) -> Any:
        try:
            return use(client)
        except Exception as error:  # noqa: BLE001 - of each vendor another
            return error

    async def use_later(client: Any) -> Any:
        try:
            return await use(client)
        except Exception as error:  # noqa: BLE001 - as above
            return error

    return use_later if kind == "async" else use_now


def _session(ai: AmplitudeAI) -> Any:
    agent = ai.agent("bot", user_id="u", context={"note": WORDS["context"]})
    return agent.session(tags=[WORDS["tag"]], track_session_end=False)


def _found(events: Any) -> list[str]:
    text = json.dumps(events)
    assert IMAGE[:12] not in text  # in no mode
    return [place for place, word in WORDS.items() if word in text]


def _untold(provider: Provider, api: Api, events: list[Event]) -> list[str]:
    """Return the places whose word is missing from a field that tells it, but for those that this API lacks."""
    needs = {"thought": "think", "argument": "tool", "result": "tool"}
    needs |= {"tool-description": "tool", "tool-parameter": "tool"}
    return [
        f"{place} in {field}"
        for place, fields in PLACES.items()
        if not lacks(provider, api, needs.get(place, ""))
        for kind, field in fields
        if not any(event["kind"] == kind and WORDS[place] in str(event.get(field)) for event in events)
    ]


@over("provider api kind door", cells("keywords"))
def test_no_word_leaves_in_metadata_only(provider: str, api: str, kind: str, door: str, stand: Stand) -> None:
    stand.ai = AmplitudeAI(sink=stand.sink, config=PRIVATE)
    use = _saying_everything(stand, api, kind)
    results, events = stand.run(kind, door, use, session=_session(stand.ai))
    assert _found(events) == []
    assert kinds(stand.sink).count("answer") == len(results)


@over("provider api kind door", cells("keywords", doors=["swap", "patch"]))
def test_every_word_leaves_in_full(provider: str, api: str, kind: str, door: str, stand: Stand) -> None:
    use = _saying_everything(stand, api, kind)
    _results, events = stand.run(kind, door, use, session=_session(stand.ai))
    assert _untold(stand.provider, stand.api(api), events) == []


@over("provider api kind door", cells("keywords", doors=["swap"]))
def test_a_private_session_wins_over_a_full_client(
    provider: str, api: str, kind: str, door: str, stand: Stand
) -> None:
    private = MemorySink()
    session = _session(AmplitudeAI(sink=private, config=PRIVATE))
    results, events = stand.run(kind, door, _saying_everything(stand, api, kind), session=session)
    assert events == []
    assert _found(private.events) == []
    assert kinds(private).count("answer") == len(results)
