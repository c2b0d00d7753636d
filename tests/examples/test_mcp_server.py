"""The MCP server of example_apps, as the process that the official client starts: whole events."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, TextIO

from mcp import Client, StdioServerParameters, stdio_client

from tests.conftest import Serve
from tests.events import told
from tests.fakes.collector import Collector
from tests.frameworks.mcp_servers.sdk import Peer

ROOT = Path(__file__).parents[2]
COMMAND = ["-W", "error", "-m", "example_apps.mcp_server_example"]
FOUND = "EC 171 leaves Berlin at 06:16 and is in Prague at 10:25."
WHY = "The user wants to go from Berlin to Prague."
SCOPE = {"user_id": "user-42", "Agent ID": "trains", "Session ID": "id-3", "Trace ID": "id-2"}
CALL = {
    "type": "Tool Call",
    "Component Type": "tool",
    "Latency Ms": "ms",
    "Parent Message ID": "id-1",
    **SCOPE,
}
SUCCESS = {"Is Error": False, "Tool Success": True}


def environment(serve: Serve, collector: Collector, **more: str) -> dict[str, str]:
    server = {"AMPLITUDE_AI_API_KEY": "my-project", "AMPLITUDE_AI_SERVER_URL": serve(collector.app)}
    return {**os.environ, **server, **more}


async def test_a_client_calls_and_its_reasons_are_told(serve: Serve, tmp_path: Path) -> None:
    collector, heard = Collector(), list[Any]()

    async def hear(message: Any) -> None:
        heard.append(message)  # also what is on stdout and is not of the protocol

    with (tmp_path / "stderr").open("w+") as stderr:
        transport = stdio_client(_parameters(environment(serve, collector)), errlog=stderr)
        async with Client(transport, message_handler=hear) as client:
            peer = Peer(client)
            offered = {name: await peer.schema(name) for name in ("find_trains", "book_seat")}
            found = await peer.call("find_trains", origin="Berlin", destination="Prague", rationale=WHY)
            booked = await peer.call("book_seat", train="EC 171")
            refused = await peer.call("book_seat", train="ICE 1")
        said = _read(stderr)
    assert {name: (list(one["properties"]), one["required"]) for name, one in offered.items()} == {
        "find_trains": (["origin", "destination", "rationale"], ["origin", "destination"]),
        "book_seat": (["train", "rationale"], ["train"]),
    }
    assert found == (FOUND, False)
    assert booked == ("Seat 42 on EC 171 is yours.", False)
    assert refused[1]
    assert "ICE 1 does not run today." in refused[0]
    assert heard == []
    assert "Traceback" not in said
    assert _timeless(told(collector.events)) == [
        {"type": "User Message", "Component Type": "user_input", "Message Source": "agent", "Turn ID": 1,
         "Message ID": "id-1", "$llm_message": {"text": WHY}, **SCOPE},
        {**CALL, **SUCCESS, "Turn ID": 2, "Invocation ID": "id-4", "Tool Name": "find_trains",
         "Tool Input": '{"origin":"Berlin","destination":"Prague"}', "Tool Output": FOUND},
        {**CALL, **SUCCESS, "Turn ID": 3, "Invocation ID": "id-5", "Tool Name": "book_seat",
         "Tool Input": '{"train":"EC 171"}', "Tool Output": "Seat 42 on EC 171 is yours."},
        {**CALL, "Turn ID": 4, "Invocation ID": "id-6", "Tool Name": "book_seat", "Tool Input": '{"train":"ICE 1"}',
         "Is Error": True, "Tool Success": False, "Error Message": "ICE 1 does not run today.", "Error Type": "ToolError",
         "Error Source": "tool"},
        {"type": "Session End", **SCOPE},
    ]  # fmt: skip


def test_stdout_is_the_protocols_alone(serve: Serve) -> None:
    collector = Collector()
    hello = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "raw", "version": "1"},
    }
    call = {"name": "book_seat", "arguments": {"train": "EC 171"}}
    lines: list[dict[str, Any]] = [
        {"id": 1, "method": "initialize", "params": hello},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/call", "params": call},
    ]
    with subprocess.Popen(
        [sys.executable, *COMMAND],
        env=environment(serve, collector, AMPLITUDE_AI_DEBUG="true"),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        for line in lines:
            server.stdin.write(json.dumps({"jsonrpc": "2.0", **line}) + "\n")
        server.stdin.flush()
        answers = [json.loads(server.stdout.readline()) for line in lines if "id" in line]
        rest, said = server.communicate(timeout=30)  # closes stdin, which ends the server
    assert [answer["id"] for answer in answers] == [1, 2]
    assert rest == ""
    assert "[Agent] Tool Call" in said
    assert server.returncode == 0
    assert [event["type"] for event in told(collector.events)] == ["Tool Call", "Session End"]


def test_the_client_beside_it(serve: Serve) -> None:
    collector = Collector()
    run = subprocess.run(
        [sys.executable, "-W", "error", "-m", "example_apps.mcp_client"],
        env=environment(serve, collector),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout == (
        f"> find_trains: {WHY}\n{FOUND}\n"
        "> book_seat: The user takes the first train.\nSeat 42 on EC 171 is yours.\n"
    )
    kinds = [event["type"] for event in told(collector.events)]
    assert kinds == [*("User Message", "Tool Call") * 2, "Session End"]


def _parameters(env: dict[str, str]) -> StdioServerParameters:
    return StdioServerParameters(command=sys.executable, args=COMMAND, env=env, cwd=ROOT)


def _read(file: TextIO) -> str:
    file.seek(0)
    return file.read()


def _timeless(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for event in events:
        if "Latency Ms" in event:
            assert 0 <= event["Latency Ms"] < 30_000
            event["Latency Ms"] = "ms"
    return events
