"""What one tracked event costs its caller, in constructions of a bare ``BaseEvent``, beside ``amplitude-ai``.

``python -m benchmarks.tracking PEER`` takes the interpreter of an environment that has the peer. Both run
this file's `measure` on the same calls, the sink a stub, in turns and in processes of their own.
"""

from __future__ import annotations

import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

ROUNDS = 7
COUNT = 2_000
BARE = "BaseEvent"
QUESTION = (
    "How do I set up a funnel that shows how many of the people who signed up last week went on to buy "
    "something, and can I split it by the country they came from?"
)
ANSWER = (
    "Open Charts, choose Funnel Analysis, and add the two events in order: first Sign Up, then Purchase "
    "Completed. Set the conversion window to seven days, since most people decide within a week. Then add "
    "Country under 'Grouped by', and each country becomes a line of its own. If some lines are noisy, "
    "raise the smallest group that is shown, or look at a longer range. Save the chart to a dashboard if "
    "you want to follow it, or make a cohort of those who signed up and did not buy, to write to them."
)


def calls(ai: Any) -> dict[str, Callable[[], object]]:
    from amplitude import BaseEvent

    who = {"user_id": "user-1", "session_id": "session-1"}
    return {
        BARE: lambda: BaseEvent("event", user_id="user-1", event_properties={"plan": "pro", "seats": 5}),
        "user message": lambda: ai.track_user_message(content=QUESTION, **who),
        "AI message with cost": lambda: ai.track_ai_message(
            content=ANSWER,
            model="gpt-4o",
            provider="openai",
            latency_ms=450.0,
            input_tokens=120,
            output_tokens=340,
            **who,
        ),
        "tool call": lambda: ai.track_tool_call(
            tool_name="search_docs",
            latency_ms=85.0,
            success=True,
            input={"query": "funnel from sign up to purchase", "top_k": 3, "filters": {"locale": "en-US"}},
            output={"documents": [{"title": "Funnels", "text": ANSWER, "score": 0.91}], "total": 1},
            **who,
        ),
        "score": lambda: ai.score(name="user-feedback", value=1.0, target_id="message-1", **who),
    }


def measure(ai: Any) -> dict[str, float]:
    """Return the least CPU time of a call of each kind, in microseconds."""
    best: dict[str, float] = {}
    for _ in range(3):
        for name, call in calls(ai).items():
            gc.collect()
            for _ in range(100):
                call()
            begun = time.process_time_ns()
            for _ in range(COUNT):
                call()
            taken = (time.process_time_ns() - begun) / COUNT / 1_000
            best[name] = min(taken, best.get(name, taken))
    return best


def ours() -> Any:
    from amplitude_ai_integrations import AmplitudeAI
    from benchmarks.silence import Silence

    return AmplitudeAI(sink=Silence())


def peer() -> Any:
    from amplitude import Amplitude
    from amplitude_ai import AmplitudeAI  # type: ignore[import-not-found]

    client = Amplitude("key")
    client.track = lambda _event: None
    return AmplitudeAI(amplitude=client)


def asked(interpreter: str, whom: str) -> dict[str, float]:
    answer = subprocess.run(
        [interpreter, "-m", "benchmarks.tracking", whom], capture_output=True, text=True, check=True
    )
    found: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    return found


def main(interpreter: str) -> None:
    rounds = [(asked(sys.executable, "--ours"), asked(interpreter, "--peer")) for _ in range(ROUNDS)]
    print(f"One tracked event, in bare BaseEvents (CPU, median of {ROUNDS} rounds)")
    print(f"  {'':<24}{'ours':>10}{'amplitude-ai':>15}{'ratio':>8}")
    for name in rounds[0][0]:
        own = statistics.median(mine[name] / mine[BARE] for mine, _ in rounds)
        theirs = statistics.median(other[name] / other[BARE] for _, other in rounds)
        print(f"  {name:<24}{own:>9.2f}x{theirs:>14.2f}x{own / theirs:>8.3f}")
    print(f"  a bare BaseEvent takes {statistics.median(mine[BARE] for mine, _ in rounds):.1f} us")


if __name__ == "__main__":
    if sys.argv[1:] == ["--ours"]:
        print(json.dumps(measure(ours())))
    elif sys.argv[1:] == ["--peer"]:
        print(json.dumps(measure(peer())))
    elif len(sys.argv) == 2:
        main(sys.argv[1])
    else:
        sys.exit("usage: python -m benchmarks.tracking PATH_OF_THE_PEERS_PYTHON")
