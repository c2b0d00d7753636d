"""What is told of a call's arguments: those it was given, as they were, without the object they went to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import pydantic
import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.client.decorators import observe, tool
from amplitude_ai_integrations.client.decorators.arguments import Arguments
from amplitude_ai_integrations.client.decorators.schema import schema_of

from ...events import one


class Shop:
    def __repr__(self) -> str:
        return "hunter2"

    def search(this, q: str) -> str:  # noqa: N805 - nobody has to say self
        return q

    @staticmethod
    def compare(left: Any, right: Any) -> bool:
        return bool(left == right)

    @classmethod
    def opened(cls, name: str) -> str:
        return name


class Branch(Shop):
    def search(this, q: str) -> str:  # noqa: N805
        return super().search(q)


def everything(a: Any, /, b: Any = 2, *rest: Any, c: Any = 3, **more: Any) -> None:
    """Has every kind of parameter."""


shop = Shop()
GIVEN: dict[str, tuple[Any, tuple[Any, ...], dict[str, Any], dict[str, Any]]] = {
    "by position": (everything, (1,), {}, {"a": 1}),
    "by name": (everything, (1,), {"c": 4, "b": 5}, {"a": 1, "c": 4, "b": 5}),
    "the rest": (everything, (1, 2, 3, 4), {}, {"a": 1, "b": 2, "rest": (3, 4)}),
    "more": (everything, (1,), {"colour": "red", "a": 9}, {"a": 1, "colour": "red"}),
    "too many": (lambda q: q, (1, 2), {}, {"q": 1, "args": (2,)}),
    "self": (lambda self, q: q, (shop, 1), {}, {"q": 1}),
    "self by name": (lambda self, q: q, (), {"self": shop, "q": 1}, {"q": 1}),
    "cls": (lambda cls, q: q, (Shop, 1), {}, {"q": 1}),
    "another word for self": (Shop.search, (shop, 1), {}, {"q": 1}),
    "the object of a subclass": (Shop.search, (Branch(), 1), {}, {"q": 1}),
    "the class of a subclass": (Shop.search, (Branch, 1), {}, {"q": 1}),
    "a static method": (Shop.compare, (1, 2), {}, {"left": 1, "right": 2}),
    "a bound method": (shop.search, (1,), {}, {"q": 1}),
    "a bound class method": (Shop.opened, ("a",), {}, {"name": "a"}),
    "a function in C": (max, (1, 2), {}, {"args": (1, 2)}),
}


@pytest.mark.parametrize("case", GIVEN)
def test_arguments_go_by_their_names(case: str) -> None:
    function, args, kwargs, given = GIVEN[case]
    assert Arguments(function).given(args, kwargs) == given


@pytest.mark.parametrize("decorate", [tool, observe])
def test_what_changes_later_changes_nothing(decorate: Any, ai: AmplitudeAI, sink: MemorySink) -> None:
    @dataclass
    class Order:
        items: list[str]

    @decorate
    def use_up(order: Order, options: dict[str, Any]) -> None:
        order.items.clear()
        options["n"] = 0

    with ai.agent("bot").session(track_session_end=False):
        use_up(Order(["tea"]), options={"n": 3})
    (event,) = (event["event_properties"] for event in sink.events)
    given = event.get("[Agent] Tool Input") or event["[Agent] Input State"]
    assert given == '{"order":{"items":["tea"]},"options":{"n":3}}'


class Item(msgspec.Struct):
    name: str


class Order(pydantic.BaseModel):
    count: int


def buy(
    item: Item,
    order: Order,
    tags: list[str],
    size: Literal["s", "l"],
    price: float | None = 3.5,
    *numbers: int,
    shop: Shop,
    anything=None,
    **more: str,
) -> None:
    """Takes what can be said in JSON, and what cannot."""


def test_types_become_a_json_schema() -> None:
    assert schema_of(buy) == {
        "type": "object",
        "properties": {
            "item": {"$ref": "#/$defs/Item"},
            "order": Order.model_json_schema(),
            "tags": {"type": "array", "items": {"type": "string"}},
            "size": {"enum": ["l", "s"]},
            "price": {"anyOf": [{"type": "number"}, {"type": "null"}]},
            "shop": {},
            "anything": {},
        },
        "required": ["item", "order", "tags", "size", "shop"],
        "$defs": {
            "Item": {
                "title": "Item",
                "type": "object",
                "properties": {"name": {"type": "string"}},
                "required": ["name"],
            }
        },
    }


def test_types_that_are_not_there_take_anything() -> None:
    def search(q: Missing) -> None:  # type: ignore[name-defined]  # noqa: F821
        """Has a type that only a type checker imports."""

    assert schema_of(search) == {"type": "object", "properties": {"q": {}}, "required": ["q"]}


@pytest.mark.parametrize(
    ("wanted", "schema"),
    [
        (True, '{"type":"object","properties":{"q":{"type":"string"}},"required":["q"]}'),
        ({"type": "object"}, '{"type":"object"}'),
        (False, None),
    ],
)
def test_a_tool_tells_its_schema_where_wanted(
    wanted: Any, schema: str | None, ai: AmplitudeAI, sink: MemorySink
) -> None:
    class Desk:
        @tool(input_schema=wanted)
        def search(self, q: str) -> str:
            return q

    with ai.agent("bot").session(track_session_end=False):
        Desk().search("tea")
    assert one(sink.events, "Tool Call").get("[Agent] Tool Input Schema") == schema


def test_a_schema_that_cannot_be_made_costs_no_event(
    ai: AmplitudeAI, sink: MemorySink, swallowing: None
) -> None:
    with ai.agent("bot").session(track_session_end=False):
        assert tool(max, input_schema=True)(1, 2) == 2
    assert "[Agent] Tool Input Schema" not in one(sink.events, "Tool Call")
