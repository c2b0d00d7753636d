"""Each function of ours that a call of Bedrock passes is made to raise in turn; the call's result stays."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink

from ..fakes.bedrock_server import BedrockServer
from ..faults import functions_passed, raising
from .contract.bedrock import BEDROCK, MODEL, converse_arguments, invoke_arguments
from .contract.provider import Ask, Ran, Tool

# Where the program enters what all providers share, and each hands its inner work to a shield.
DOORS = BEDROCK.doors | {
    "AmplitudeAI.amplitude",
    "Observation.chunk",
    "Observation.failed",
    "Observation.finished",
    "Observation.left",
    "Observation.returned",
    "Shield.note",
    "shielded.__enter__",
    "shielded.__exit__",
    "shielded.__init__",
}


@pytest.fixture(scope="module")
def _server() -> Iterator[BedrockServer]:
    server = BEDROCK.serve()
    yield server
    BEDROCK.stop()
    server.stop()


@pytest.fixture
def ai(sink: MemorySink) -> AmplitudeAI:
    """A client whose calls carry the session."""
    return AmplitudeAI(sink=sink, config=AIConfig(propagate_context=True))


@pytest.fixture
def client(_server: BedrockServer, ai: AmplitudeAI) -> Any:
    """An observed client."""
    return BEDROCK.swap(_server, "sync", ai)


def _converse(client: Any) -> Any:
    given = converse_arguments(Ask("think tool", tool=Tool(), ran=Ran()))
    given["messages"].append({"role": "user", "content": [{"text": "think tool"}]})
    return client.converse(**given, amplitude_user_id="u")["output"]


def _stream(client: Any) -> Any:
    return [*client.converse_stream(**converse_arguments(Ask("think")), amplitude_user_id="u")["stream"]]


def _left(client: Any) -> Any:
    with contextlib.closing(client.converse_stream(**converse_arguments(Ask("tool")))["stream"]) as stream:
        return next(iter(stream))


def _claude(client: Any) -> Any:
    said = [{"role": "user", "content": "think"}]
    body = json.dumps({"anthropic_version": "bedrock-2023-05-31", "messages": said})
    with client.invoke_model(modelId=MODEL, body=body)["body"] as inner:
        return inner.read(7), inner.read()


def _pieces(client: Any) -> Any:
    body = client.invoke_model(**invoke_arguments(Ask("Hi")))["body"]
    return [*iter(lambda: body.read(9), b"")], body.readlines(), body.close()


def _chunks(client: Any) -> Any:
    return [*client.invoke_model_with_response_stream(**invoke_arguments(Ask("Hi")))["body"]]


def _refused(client: Any) -> Any:
    with pytest.raises(ClientError) as caught:
        client.invoke_model(modelId="amazon.titan-embed-text-v2:0", body='{"inputText": "error429"}')
    return str(caught.value)


CALLS = [_converse, _stream, _left, _claude, _pieces, _chunks, _refused]


def _result(call: Callable[[Any], Any], client: Any) -> Any:
    try:
        return call(client)
    except Exception as error:  # noqa: BLE001 - whatever it is, it would be the program's
        return error


@pytest.mark.usefixtures("swallowing")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("call", CALLS)
def test_the_result_of_a_call_survives_a_fault_in_any_function_of_ours(
    call: Callable[[Any], Any], client: Any, ai: AmplitudeAI
) -> None:
    harmed = []
    with ai.agent("bot", user_id="u").session(track_session_end=False):
        expected = call(client)
        inner = functions_passed(lambda: call(client), DOORS)
        for functions in inner:
            with raising(functions):
                result = _result(call, client)
            if result != expected:
                harmed.append(functions[0].__qualname__)
    assert len(inner) > 40
    assert sorted(harmed) == []
