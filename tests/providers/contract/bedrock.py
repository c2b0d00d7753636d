"""Amazon Bedrock through boto3: conversations, and Nova's own bodies through invoke."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any, ClassVar

import boto3
from botocore import exceptions as errors
from botocore.config import Config
from botocore.response import StreamingBody
from urllib3.exceptions import HTTPError

from amplitude_ai_integrations.pricing.cost import Tokens
from amplitude_ai_integrations.providers import bedrock as ours

from ...fakes.bedrock_server import BedrockServer, arguments
from ..expected import UNCOUNTED, Event, counted, estimated
from .provider import Api, Ask, Failure, Provider, Way, sent

MODEL = "us.anthropic.claude-3-haiku-20240307-v1:0"
NOVA = "amazon.nova-lite-v1:0"


def _content(ask: Ask, picture: Callable[[str], Any]) -> dict[str, Any]:
    """Return what both APIs call the parts of a conversation; pictures are bytes or base64."""
    said: list[Any] = [{"text": ask.words}]
    if ask.image is not None:
        said.append({"image": {"format": "png", "source": {"bytes": picture(ask.image)}}})
    messages: list[Any] = [{"role": "user", "content": said}]
    if ask.ran is not None:
        call = {"toolUseId": ask.ran.call_id, "name": ask.ran.name, "input": json.loads(ask.ran.arguments)}
        result = {"toolUseId": ask.ran.call_id, "content": [{"text": ask.ran.result}]}
        messages.append({"role": "assistant", "content": [{"toolUse": call}]})
        messages.append({"role": "user", "content": [{"toolResult": result}]})
    given: dict[str, Any] = {"messages": messages}
    if ask.system:
        given["system"] = [{"text": ask.system}]
    if ask.tool is not None:
        spec = {"name": ask.tool.name, "description": ask.tool.description}
        given["toolConfig"] = {"tools": [{"toolSpec": {**spec, "inputSchema": {"json": ask.tool.schema}}}]}
    return given


def converse_arguments(ask: Ask) -> dict[str, Any]:
    """Return the arguments of a conversation."""
    return {"modelId": MODEL, **_content(ask, base64.b64decode)}


def invoke_arguments(ask: Ask) -> dict[str, Any]:
    """Return the arguments of an invocation of Amazon Nova."""
    body = {"schemaVersion": "messages-v1", **_content(ask, str)}
    return {"modelId": NOVA, "body": json.dumps(body)}


def _invoke(client: Any, **given: Any) -> Any:
    response = client.invoke_model(**given)
    return {**response, "body": json.load(response["body"])}


_opened: list[Any] = []


def _kept(stream: Any) -> Any:
    """Remember a stream's connection, which nothing gives back where the stream is left."""
    _opened.append(stream._raw_stream)
    return stream


def _converse_stream(client: Any, **given: Any) -> Any:
    return _kept(client.converse_stream(**given)["stream"])


def _invoke_stream(client: Any, **given: Any) -> Any:
    return _kept(client.invoke_model_with_response_stream(**given)["body"])


def _piece(event: Any) -> str:
    piece: str = event.get("contentBlockDelta", {}).get("delta", {}).get("text", "")
    return piece


def _invoked_piece(event: Any) -> str:
    return _piece(json.loads(event["chunk"]["bytes"]))


def _text(answer: Any) -> str:
    return "".join(block.get("text", "") for block in answer["output"]["message"]["content"])


def _knows(shape: str, member: str) -> bool:
    """Tell whether this version of botocore knows of something; of what it does not know it tells nothing."""
    model = boto3.client("bedrock-runtime", region_name="us-east-1").meta.service_model
    return member in model.shape_for(shape).members


_ALL = Tokens(20, 7, 8, 2)
_SENT = _ALL if _knows("TokenUsage", "cacheReadInputTokens") else Tokens(20, 7)
_THINKS = _knows("ContentBlock", "reasoningContent")
_REQUEST: Event = {"provider_request_id": "req_1"}


def _api(model: str, tokens: Tokens, piece: Any, text: Any, **calls: Any) -> Api:
    says = {"model_name": model, "provider": "aws", "finish_reason": "end_turn", **_REQUEST}

    def estimate(ask: Ask, written: str) -> Event:
        return estimated(sent(ask), written, model, "aws")

    return Api(
        piece=piece,
        text=text,
        says={**says, **counted(model, "aws", tokens)},
        left=estimate,
        unread={**UNCOUNTED, **_REQUEST},
        refused={**UNCOUNTED, **_REQUEST},
        asks={"finish_reason": "tool_use"},
        fails=Failure((errors.EventStreamError,)),
        **calls,
    )


def _of_body(read: Callable[[Any], Any]) -> Way:
    return Way("invoke", lambda client, **given: read(client.invoke_model(**given)["body"]))


def _in_with(body: Any) -> Any:
    with body as inner:
        return inner.read(7), inner.read()


def _by_bytearray(body: Any) -> Any:
    taken = bytearray(7)
    return [bytes(taken[:size]) for size in iter(lambda: body.readinto(taken), 0)]


WAYS = {
    "converse": Way("converse", lambda client, **given: client.converse(**given)["output"]),
    "converse_stream": Way(
        "converse", lambda client, **given: [*client.converse_stream(**given)["stream"]], is_streaming=True
    ),
    "invoke_model, json": _of_body(json.load),
    "invoke_model, read": _of_body(lambda body: body.read()),
    "invoke_model, pieces": _of_body(lambda body: [*iter(lambda: body.read(7), b"")]),
    "invoke_model, iterated": _of_body(lambda body: [*body]),
    "invoke_model, chunks": _of_body(lambda body: [*body.iter_chunks(7)]),
    "invoke_model, lines": _of_body(lambda body: [*body.iter_lines()]),
    "invoke_model, all lines": _of_body(lambda body: body.readlines()),
    "invoke_model, with": _of_body(_in_with),
    "invoke_model_with_response_stream": Way(
        "invoke",
        lambda client, **given: [*client.invoke_model_with_response_stream(**given)["body"]],
        is_streaming=True,
    ),
}

if hasattr(StreamingBody, "readinto"):
    WAYS["invoke_model, readinto"] = _of_body(_by_bytearray)


class Bedrock(Provider):
    """boto3's client; it is closed when all tests are done, with what they left open."""

    name = "bedrock"
    apis: ClassVar[dict[str, Api]] = {
        "converse": _api(
            MODEL,
            _SENT,
            _piece,
            _text,
            arguments=converse_arguments,
            whole=lambda client, **given: client.converse(**given),
            streamed=_converse_stream,
            lacks={} if _THINKS else {"think": "an older botocore knows of no reasoning"},
        ),
        "invoke": _api(
            NOVA,
            _ALL,
            _invoked_piece,
            lambda answer: _text(answer["body"]),
            arguments=invoke_arguments,
            whole=_invoke,
            streamed=_invoke_stream,
        ),
    }
    ways = WAYS
    patches = (ours.patch_bedrock,)
    statuses = dict.fromkeys(("error500", "error429", "error401"), (errors.ClientError,))
    cuts = (errors.ConnectionClosedError, HTTPError)
    timeouts = (errors.ReadTimeoutError, HTTPError)
    volatile = frozenset({"authorization", "amz-sdk-invocation-id", "x-amz-date"})
    doors = frozenset(
        {
            "Bedrock.__getattr__",
            "_ObservedBody.__enter__",
            "_ObservedBody.__exit__",
            "_ObservedBody.close",
            "_ObservedBody.read",
            "_ObservedBody.readinto",
            "_ObservedBody.readlines",
            "_ObservedStream.__iter__",
            "_ObservedStream.close",
            "_Tap.ended",
            "_Tap.left",
            "_Tap.read",
            "_add_context",
            "_observed.<locals>.make_api_call",
            "_reading",
        }
    )
    lacks: ClassVar[dict[str, str]] = {
        "async": "boto3 has no asynchronous client",
        "with": "its streams are no context managers",
    }

    def serve(self) -> BedrockServer:
        return BedrockServer()

    def bare(self, fake: Any, kind: str, **options: Any) -> Any:
        given = arguments(fake)
        client = boto3.client("bedrock-runtime", config=_config(**options), **given)
        return _trying(client, options.get("retries", 0))

    def swap(self, fake: Any, kind: str, amplitude: Any, **options: Any) -> Any:
        client = ours.Bedrock(amplitude, boto_config=_config(**options), **arguments(fake))
        return _trying(client, options.get("retries", 0))

    def stop(self) -> None:
        while _opened:
            _opened.pop().close()


def _config(timeout: float | None = None, retries: int = 0) -> Config:
    given: dict[str, Any] = {} if timeout is None else {"read_timeout": timeout}
    return Config(retries={"total_max_attempts": retries + 1}, **given)


def _trying(client: Any, retries: int) -> Any:
    """Have a client try again at once: left to itself it waits for seconds."""

    def delay(attempts: int, response: Any, **_more: Any) -> float | None:
        has_failed = response is None or response[0].status_code >= 500
        return 0.001 if has_failed and attempts <= retries else None

    client.meta.events.register_first("needs-retry.bedrock-runtime", delay)
    _opened.append(client)
    return client


BEDROCK = Bedrock()
