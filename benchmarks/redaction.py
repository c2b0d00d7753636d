"""Redaction, ours and that of `amplitude-ai` in an environment of its own, on the same texts in the same run.

Run as `python -m benchmarks.redaction PYTHON`, with the Python of the environment that has `amplitude-ai`.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

Redact = Callable[[str], str]

ROUNDS = 5
SENTENCES = """\
It was late in the afternoon when the last of the visitors left the museum, and nobody asked about the map.
She had bought the house in 1987 for a price that her brother called foolish: forty thousand, all borrowed.
"You could have waited," he said, "but then you never did," and he put the letter back into the drawer.
The train leaves at 7:45 and reaches the coast before noon - unless there is snow, of course.
Most of the work, perhaps two thirds of it, consists of reading what others wrote and asking why.
When we compared the two reports we found that the second one had simply copied the tables of the first.
A small cup of coffee costs $3.50 there; on Sundays they give you the second one for nothing.
I can help with that. First open the settings, then choose the plan that you would like to change.
The well-known painter, who was born in Lisbon, moved north at the age of 23 and never went back.
There is no reason to believe that the results would have been any different in the following year.
Could you summarise the meeting for me, and list the three things that we still have to decide?
Nothing in the garden had changed: the same stones, the same bench, the same half-open gate.
Water boils at 100 degrees at sea level, but only at about 93 on top of a mountain of that height.
He answered slowly, as he always did, and looked at each of us in turn before he went on.
If the answer is not what you expected, say what you were looking for, and I will try again.
In the spring of 2019 the company had 140 employees; five years later it had more than 2,000.
They walked along the river for an hour without a word, because everything had been said.
""".splitlines()
LENGTH = 1_000_000  # characters, about
JSON = "tool output (JSON)"
MESSAGE = "How do I set up a funnel in the product, and who can see it?"


def texts() -> dict[str, str]:
    """Return the texts to be timed, the same in every process."""
    chance = random.Random(1)
    hits = [
        {
            "id": number,
            "score": round(chance.random(), 4),
            "url": f"https://example.com/docs/{number}",
            "text": chance.choice(SENTENCES),
        }
        for number in range(500)  # below the length at which the peer cuts a text off
    ]
    lines = [
        f"2026-03-04T09:{number % 60:02}:44.{number % 1000:03}Z INFO worker-{number % 7} request={number:08x}"
        f" ip=10.0.{number % 256}.7 path=/api/v1/users status=200 took={chance.random():.3f}s"
        for number in range(LENGTH // 130)
    ]
    return {
        "English": " ".join(chance.choice(SENTENCES) for _ in range(LENGTH // 100)),
        JSON: json.dumps(hits),
        "log": "\n".join(lines),
    }


def seconds(redact: Redact, text: str, count: int = 1) -> float:
    """Return the least CPU time of several rounds for one call."""
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.process_time()
        for _ in range(count):
            redact(text)
        best = min(best, time.process_time() - begun)
    return best / count


def timed(redact: Redact, structured: Redact) -> dict[str, float]:
    """Return seconds by text."""
    result = {name: seconds(structured if name == JSON else redact, text) for name, text in texts().items()}
    return {**result, "message": seconds(redact, MESSAGE, 5_000)}


def peer() -> None:
    """Redact what comes on stdin with `amplitude-ai`, and print results and times as JSON."""
    from amplitude_ai.core import privacy

    config = privacy.PrivacyConfig(content_mode="full")

    def message(text: str) -> str:
        return config.sanitize_content(text)["$llm_message"]["text"]

    def structured(text: str) -> str:
        return privacy._sanitize_structured_content(text, True, config)

    results = [[message(text), structured(text)] for text in json.load(sys.stdin)]
    json.dump({"results": results, "seconds": timed(privacy.redact_pii_patterns, structured)}, sys.stdout)


def main(python: str) -> None:
    """Compare with the peer that runs under ``python``."""
    from amplitude_ai_integrations import AIConfig
    from amplitude_ai_integrations.privacy.redaction import Redactor
    from tests.privacy import corpus

    cases = corpus.positives() + corpus.negatives()
    redact = Redactor(AIConfig()).text
    ours = timed(redact, redact)
    command = [python, "-m", "benchmarks.redaction", "--peer"]
    asked = json.dumps([case.text for case in cases])
    answer = subprocess.run(command, input=asked, capture_output=True, text=True, check=True)
    theirs = json.loads(answer.stdout)

    print(f"{'Redaction':<24}{'ours':>10}{'amplitude-ai':>14}")
    for name, text in texts().items():
        rates = [len(text) / taken[name] / 1e6 for taken in (ours, theirs["seconds"])]
        print(f"  {name:<22}{rates[0]:>10.1f}{rates[1]:>14.1f} MB/s   x {rates[0] / rates[1]:.1f}")
    print(f"  {'a message of ' + str(len(MESSAGE)):<22}", end="")
    print(f"{ours['message'] * 1e6:>10.2f}{theirs['seconds']['message'] * 1e6:>14.2f} us")
    report(cases, redact, dict(zip((case.text for case in cases), theirs["results"], strict=True)))


def report(cases: list[Any], redact: Redact, theirs: dict[str, list[str]]) -> None:
    """Print precision and recall by kind; the peer has two ways to redact, and the better one counts."""
    from tests.privacy.corpus import Case, scores

    def peer_result(case: Case) -> str:
        message, structured = theirs[case.text]
        return structured if structured == case.expected else message

    of_ours, of_peer = scores(lambda case: redact(case.text), cases), scores(peer_result, cases)
    print(f"{'':<24}{'precision  recall':>20}{'amplitude-ai':>24}")
    for kind in sorted(of_ours, key=lambda kind: (kind == "all", kind)):
        mine, other = of_ours[kind], of_peer[kind]
        found = f"  {kind:<22}{mine.precision:>11.3f}{mine.recall:>9.3f}"
        print(
            f"{found}{other.precision:>15.3f}{other.recall:>9.3f}   {mine.positives} / {mine.negatives} texts"
        )


if __name__ == "__main__":
    peer() if sys.argv[1] == "--peer" else main(sys.argv[1])
