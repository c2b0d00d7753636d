"""A `claude` command that speaks the Claude Agent SDK's control protocol, scripted by the words of a prompt.

A prompt's words are done in order: `call:Bash{"command":"ls"}` asks for a tool, which fails if that says so
(`fail:Bash{}`), is refused (`deny:Bash{}`) or never ends (`lose:Bash{}`); `both:A,B` asks for two at once,
the first of which answers before the second is asked for; `agent:reviewer` has a subagent run a tool and
`background:reviewer` one that goes on when the turn is over; `think` shows reasoning. Then comes the answer,
unless it is `crash`, `stall` (until it is interrupted), `limited` (an API error) or `exhausted` (a limit of
turns). `titles` costs what no message shows. As the real command does, it says how many tokens an answer
took at the end of a stream alone, and counts cost over its whole life.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

MODEL, OTHER = "claude-sonnet-4-5", "claude-haiku-4-5"
TEXT, THOUGHT = "Hello from Claude.", "Let me think."
USAGE = {"input_tokens": 10, "cache_read_input_tokens": 40, "cache_creation_input_tokens": 8}
WRITTEN = 20
ANSWER_USD = (10 * 3 + 40 * 0.3 + 8 * 3.75 + WRITTEN * 15) / 1e6
TITLES_USD = 0.0004
TOOL_MS = 12

Json = dict[str, Any]


def command(folder: Path) -> str:
    """Write an executable that runs this file, and return where it is."""
    path = folder / "claude"
    path.write_text(f"#!{sys.executable}\nimport runpy\nrunpy.run_path({__file__!r}, run_name='__main__')\n")
    path.chmod(0o755)
    return str(path)


class Cli:
    """One process of it."""

    def __init__(self, lines: Iterator[str], arguments: list[str]) -> None:
        self._lines = (json.loads(line) for line in lines if line.strip())
        resumed = [argument.partition("=")[2] for argument in arguments if argument.startswith("--resume=")]
        self._session = resumed[0] if resumed else str(uuid4())
        self._is_partial = "--include-partial-messages" in arguments
        self._hooks: Json = {}
        self._ids = iter(range(1, 10_000))
        self._answers = 0
        self._cost = 0.0
        self._titles = 0
        self._agent: Json = {}

    def run(self) -> None:
        """Answer whatever comes."""
        for message in self._lines:
            if message["type"] == "control_request":
                self._control(message)
            elif message["type"] == "user":
                content = message["message"]["content"]
                said = (
                    content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
                )
                self._turn(said)

    def _control(self, message: Json) -> None:
        self._hooks.update(message["request"].get("hooks") or {})
        answer = {"subtype": "success", "request_id": message["request_id"], "response": {}}
        self._say(type="control_response", response=answer)

    def _turn(self, prompt: str) -> None:
        self._before, self._began = self._answers, time.time()
        init = {"subtype": "init", "model": MODEL, "session_id": self._session}
        init["claude_code_version"] = "2.1.999"
        self._say(type="system", **init)
        self._hook("UserPromptSubmit", prompt=prompt)
        if "crash" in prompt:
            sys.stderr.write("it crashed\n")
            sys.exit(3)
        if "titles" in prompt:
            self._cost += TITLES_USD
            self._titles += 1
        for step in re.findall(r"(\w+):([\w,]+)(\{.*?\})?", prompt):
            self._step(*step)
        self._end(prompt)

    def _step(self, kind: str, name: str, arguments: str) -> None:
        if kind == "both":
            first, second = name.split(",")
            api_id = self._answer([])
            for tool in (first, second):
                self._tool("call", tool, {}, api_id)
            self._written("tool_use")
        elif kind in ("agent", "background"):
            self._delegate(name, is_in_background=kind == "background")
        elif kind in ("call", "fail", "deny", "lose"):
            self._tool(kind, name, json.loads(arguments or "{}"))

    def _tool(self, kind: str, name: str, given: Json, api_id: str | None = None) -> None:
        tool_id = f"toolu_{next(self._ids)}"
        block = {"type": "tool_use", "id": tool_id, "name": name, "input": given}
        if api_id is None:
            self._answer([{"type": "text", "text": "I look."}, block], stop="tool_use")
        else:
            self._part(api_id, block)
        told = {"tool_name": name, "tool_input": given, "tool_use_id": tool_id, **self._agent}
        self._hook("PreToolUse", tool_id, **told)
        if kind == "call":
            self._hook("PostToolUse", tool_id, **told, tool_response={"stdout": "hi"}, duration_ms=TOOL_MS)
        elif kind == "fail":
            self._hook("PostToolUseFailure", tool_id, **told, error="exit 1", duration_ms=TOOL_MS)
        if kind != "lose":
            self._result_of(tool_id, {"call": "hi", "fail": "exit 1"}.get(kind, "refused"), kind != "call")

    def _delegate(self, kind: str, *, is_in_background: bool) -> None:
        tool_id, agent_id = f"toolu_{next(self._ids)}", f"a{next(self._ids)}"
        given: Json = {"subagent_type": kind, "prompt": "Review it.", "run_in_background": is_in_background}
        block = {"type": "tool_use", "id": tool_id, "name": "Task", "input": given}
        self._answer([block], stop="tool_use")
        told = {"tool_name": "Task", "tool_input": given, "tool_use_id": tool_id}
        self._hook("PreToolUse", tool_id, **told)
        if is_in_background:
            answer = {"status": "async_launched", "agentId": agent_id}
            self._hook("PostToolUse", tool_id, **told, tool_response=answer, duration_ms=1)
            self._result_of(tool_id, "Launched.", is_error=False)
        self._hook("SubagentStart", agent_id=agent_id, agent_type=kind)
        self._agent = {"agent_id": agent_id, "agent_type": kind}
        self._parent = tool_id
        self._tool("call", "Grep", {})
        self._answer([{"type": "text", "text": "It is fine."}], stop="end_turn")
        self._agent, self._parent = {}, None
        if is_in_background:
            return
        self._hook("SubagentStop", agent_id=agent_id, agent_type=kind, last_assistant_message="It is fine.")
        answer = {"status": "completed", "agentId": agent_id}
        self._hook("PostToolUse", tool_id, **told, tool_response=answer, duration_ms=TOOL_MS)
        self._result_of(tool_id, "It is fine.", is_error=False)

    _parent: str | None = None

    def _end(self, prompt: str) -> None:
        if "stall" in prompt:
            self._stall()
            return
        if "limited" in prompt:
            self._limited()
            return
        thoughts = [{"type": "thinking", "thinking": THOUGHT, "signature": "s"}] if "think" in prompt else []
        self._answer([*thoughts, {"type": "text", "text": TEXT}], stop="end_turn")
        self._hook("Stop", stop_hook_active=False)
        if "exhausted" in prompt:
            self._finish("error_max_turns", is_error=True, errors=["Reached the limit."])
            sys.exit(1)
        self._finish("success", result=TEXT, terminal_reason="completed")

    def _stall(self) -> None:
        if self._is_partial:
            self._event(
                {"type": "message_start", "message": {"id": "msg_cut", "model": MODEL, "usage": USAGE}}
            )
            self._event(
                {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
            )
            self._event(
                {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hel"}}
            )
        for message in self._lines:
            if message["type"] == "control_request" and message["request"]["subtype"] == "interrupt":
                self._control(message)
                self._finish("error_during_execution", is_error=True, terminal_reason="aborted_streaming")
                return

    def _limited(self) -> None:
        error = {"type": "text", "text": "API Error: overloaded"}
        message = {
            "id": str(uuid4()),
            "model": "<synthetic>",
            "content": [error],
            "stop_reason": "stop_sequence",
        }
        self._say(
            type="assistant",
            message=message,
            error="rate_limit",
            parent_tool_use_id=None,
            session_id=self._session,
        )
        self._finish("success", is_error=True, result="API Error: overloaded", terminal_reason="api_error")
        sys.exit(1)

    def _answer(self, blocks: list[Json], stop: str | None = None) -> str:
        """Say one message of the API's, a part for each of its blocks."""
        api_id = f"msg_{next(self._ids)}"
        self._answers += 1
        self._cost += ANSWER_USD
        if self._is_partial:
            usage = {**USAGE, "output_tokens": 1}
            self._event({"type": "message_start", "message": {"id": api_id, "model": MODEL, "usage": usage}})
        for index, block in enumerate(blocks):
            if self._is_partial and block["type"] == "text":
                start = {"type": "text", "text": ""}
                self._event({"type": "content_block_start", "index": index, "content_block": start})
                delta = {"type": "text_delta", "text": block["text"]}
                self._event({"type": "content_block_delta", "index": index, "delta": delta})
            self._part(api_id, block)
        if stop is not None:
            self._written(stop)
        return api_id

    def _written(self, stop: str) -> None:
        if self._is_partial:
            usage = {"output_tokens": WRITTEN}
            self._event({"type": "message_delta", "delta": {"stop_reason": stop}, "usage": usage})

    def _part(self, api_id: str, block: Json) -> None:
        message = {"id": api_id, "model": MODEL, "content": [block], "stop_reason": None}
        message["usage"] = {**USAGE, "output_tokens": 1}
        self._say(
            type="assistant",
            message=message,
            parent_tool_use_id=self._parent,
            session_id=self._session,
            uuid="a",
        )

    def _event(self, event: Json) -> None:
        self._say(
            type="stream_event",
            event=event,
            parent_tool_use_id=self._parent,
            session_id=self._session,
            uuid="s",
        )

    def _result_of(self, tool_id: str, words: str, is_error: bool) -> None:
        block = {"type": "tool_result", "tool_use_id": tool_id, "content": words, "is_error": is_error}
        message = {"role": "user", "content": [block]}
        self._say(type="user", message=message, parent_tool_use_id=self._parent)

    def _finish(self, subtype: str, *, is_error: bool = False, **fields: Any) -> None:
        answers = self._answers - self._before
        usage = {name: number * answers for name, number in USAGE.items()}
        self._say(
            type="result",
            subtype=subtype,
            is_error=is_error,
            session_id=self._session,
            num_turns=answers,
            duration_ms=int((time.time() - self._began) * 1000) + 1,
            duration_api_ms=1,
            total_cost_usd=self._cost,
            usage={**usage, "output_tokens": WRITTEN * answers},
            modelUsage=self._shares(),
            **fields,
        )

    def _shares(self) -> Json:
        shares = {}
        if self._answers:
            sent, read, created = (number * self._answers for number in USAGE.values())
            shares[MODEL] = _share(sent, WRITTEN * self._answers, read, created, ANSWER_USD * self._answers)
        if self._titles:
            shares[OTHER] = _share(200 * self._titles, 40 * self._titles, 0, 0, TITLES_USD * self._titles)
        return shares

    def _hook(self, event: str, tool_id: str | None = None, **told: Any) -> None:
        """Call hooks, and wait for what they say."""
        for matcher in self._hooks.get(event) or []:
            for callback in matcher["hookCallbackIds"]:
                request_id = f"cli_{next(self._ids)}"
                given = {"session_id": self._session, "hook_event_name": event, **told}
                request = {
                    "subtype": "hook_callback",
                    "callback_id": callback,
                    "input": given,
                    "tool_use_id": tool_id,
                }
                self._say(type="control_request", request_id=request_id, request=request)
                for message in self._lines:
                    if message["type"] == "control_response":
                        assert message["response"]["subtype"] == "success", message
                        break

    def _say(self, **message: Any) -> None:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


def _share(sent: int, written: int, read: int, created: int, cost: float) -> Json:
    return {
        "inputTokens": sent,
        "outputTokens": written,
        "cacheReadInputTokens": read,
        "cacheCreationInputTokens": created,
        "costUSD": cost,
    }


if __name__ == "__main__":
    if "-v" in sys.argv or "--version" in sys.argv:
        print("2.1.999 (Claude Code)")
    else:
        Cli(iter(sys.stdin.readline, ""), sys.argv).run()
