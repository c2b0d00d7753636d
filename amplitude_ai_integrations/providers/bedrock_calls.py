"""The calls of boto3's ``bedrock-runtime`` clients, all of which pass ``_make_api_call``."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import wraps
from typing import Any, Final

from botocore.client import BaseClient  # type: ignore[import-untyped]
from botocore.eventstream import EventStream  # type: ignore[import-untyped]
from botocore.response import StreamingBody  # type: ignore[import-untyped]

from ..calls.facts import Adapter, peek
from ..calls.keywords import PREFIX, arguments_of
from ..calls.observation import Observation
from ..calls.reporting import Reporting
from ..exceptions import shielded
from ..propagation import inject_context
from . import bedrock_bodies, bedrock_streams
from .bedrock_converse import Converse
from .bedrock_invoke import METRICS, InvokeModel, body_of

SERVICE: Final = "bedrock-runtime"

_CARRIES: Final = "_amplitude_carries_context"
_carries: ContextVar[bool] = ContextVar("amplitude_bedrock_carries", default=False)

Where = Callable[[Any], Reporting | None]


def is_client(value: Any) -> bool:
    """Tell whether a value is a client of the service, whose calls return when they are done."""
    if not isinstance(value, BaseClient) or value.meta.service_model.service_name != SERVICE:
        return False
    return not inspect.iscoroutinefunction(
        type(value)._make_api_call
    )  # aiobotocore's clients are of the class


def observing(make_api_call: Any, where: Where) -> Any:
    """Return ``_make_api_call`` of a class of clients, observed where ``where`` names somewhere."""

    @wraps(make_api_call)
    def call(client: Any, operation_name: str, api_params: Any) -> Any:
        if operation_name not in _OPERATIONS or client.meta.service_model.service_name != SERVICE:
            return make_api_call(client, operation_name, api_params)
        own = {name: value for name, value in api_params.items() if name.startswith(PREFIX)}
        params = {name: value for name, value in api_params.items() if name not in own}
        observation, carries = None, False
        with shielded("bedrock"):
            reporting = where(client)
            if reporting is not None:
                observation = _begin(reporting, operation_name, params, own)
                carries = observation is not None and _carry_context(client, observation)
        if observation is None:
            return make_api_call(client, operation_name, params)
        token = _carries.set(carries)
        try:
            response = make_api_call(client, operation_name, params)
        except BaseException as error:
            observation.failed(error)
            raise
        finally:
            _carries.reset(token)
        with shielded("bedrock"):
            _OPERATIONS[operation_name](response, observation)
        return response

    return call


def _begin(
    reporting: Reporting, operation_name: str, params: Any, own: Mapping[str, Any]
) -> Observation | None:
    keywords = arguments_of(own)
    adapter: Adapter = Converse()
    payload = params
    if operation_name.startswith("Invoke"):
        payload = body_of(params)
        adapter = InvokeModel(params.get("modelId"), payload)
    return reporting.observe(adapter, payload, keywords, is_streaming=operation_name.endswith("Stream"))


def _carry_context(client: Any, observation: Observation) -> bool:
    """Tell whether a call carries our ids in its headers, and see that its client adds them if so.

    They are added once the request is signed: the signature is then none of theirs, whoever changes them.
    """
    if observation.propagates and _CARRIES not in vars(client):
        client.meta.events.register(f"before-send.{SERVICE}", _add_context)
        vars(client)[_CARRIES] = True
    return observation.propagates


def _add_context(request: Any, **_given: Any) -> None:
    with shielded("bedrock"):
        if _carries.get():
            inject_context(request.headers)


def _whole(response: Any, observation: Observation) -> None:
    observation.returned(response)


def _body(response: Any, observation: Observation) -> None:
    if isinstance(response.get("body"), StreamingBody):
        bedrock_bodies.observe(response, observation)
    else:  # what a stub returns
        observation.returned(response)


def _stream(name: str, is_last: bedrock_streams.IsLast) -> Callable[[Any, Observation], None]:
    def observe(response: Any, observation: Observation) -> None:
        stream = response.get(name)
        observation.chunk({"ResponseMetadata": response.get("ResponseMetadata")})
        if isinstance(stream, EventStream):
            response[name] = bedrock_streams.observed(stream, observation, is_last)
        else:
            observation.finished()

    return observe


_OPERATIONS: Final[dict[str, Callable[[Any, Observation], None]]] = {
    "Converse": _whole,
    "ConverseStream": _stream("stream", lambda event: "metadata" in event),
    "InvokeModel": _body,
    "InvokeModelWithResponseStream": _stream(
        "body", lambda event: METRICS.encode() in (peek(event, "chunk", "bytes") or b"")
    ),
}
