"""A relay: what the collector takes arrives at Amplitude, whatever happens to either."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from amplitude import Amplitude, BaseEvent, Config, EventOptions

from amplitude_ai_integrations import AIConfig, AmplitudeAI
from amplitude_ai_integrations.analytics.forwarding import MOST_KEYS
from amplitude_ai_integrations.version import __version__
from tests.fakes.faults_answers import flaky, hang, lose_answer, ok, refusing, status
from tests.fakes.faults_plan import Step

from .relaying import COMMAND, KEY, Relay, environment, relaying, until
from .samples import conversation, event

OTHER_KEY = "fedcba9876543210fedcba98765432ff"
AT_EXIT = 8.0  # less than the ten seconds of one request, which no exit may wait for


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[Relay]:
    with relaying(tmp_path) as made:
        yield made


def ids(relay: Relay) -> list[str]:
    return sorted(each["insert_id"] for each in relay.stored())


# Senders


def test_events_of_our_client_arrive_as_it_sent_them(relay: Relay, tmp_path: Path) -> None:
    relay.start()
    sent: dict[str, dict[str, Any]] = {}

    def see(each: dict[str, Any]) -> dict[str, Any]:
        sent[each["insert_id"]] = {**each, "library": f"amplitude-ai-integrations/{__version__}"}
        return each

    config = AIConfig(server_url=relay.url, spool=str(tmp_path / "sender"), before_send=see)
    ai = AmplitudeAI(config=config)
    with ai.agent("support").session(user_id="user-1", session_id="sess-1", tags=["a"]) as session:
        session.track_user_message("How do I export? " * 200)
        session.track_ai_message("Press Export.", "gpt-4o", "openai", latency_ms=100.0)
    ai.flush().result(20)
    ai.shutdown()
    arrived = relay.until_arrived(3)
    assert arrived == sent
    first, *_ = arrived.values()
    assert len(first["event_properties"]["$llm_message"]["text"]) == 17 * 200
    assert relay.amplitude.keys == {KEY}


@pytest.mark.parametrize("path", ["/2/httpapi", "/batch"])
def test_events_of_the_official_client_arrive_as_it_sent_them(relay: Relay, path: str) -> None:
    relay.start()
    sent: list[dict[str, Any]] = []
    config = Config(
        server_url=relay.url + path,
        flush_interval_millis=50,
        callback=lambda each, code, message: sent.append(each.get_event_body()),
    )
    client = Amplitude(OTHER_KEY, config)
    client.track(BaseEvent("Button Pressed", user_id="user-1", device_id="device-1", ip="127.0.0.1",
                           event_properties={"size": 1.25, "tags": ["a", None]}, groups={"org": "acme"}))  # fmt: skip
    client.set_group("org", "acme", EventOptions(user_id="user-1"))
    client.flush()
    until(lambda: len(sent) == 2)
    client.shutdown()
    assert relay.until_arrived(2) == {each["insert_id"]: each for each in sent}
    assert {each["event_type"] for each in sent} == {"Button Pressed", "$identify"}
    assert relay.amplitude.keys == {OTHER_KEY}


def test_what_is_posted_arrives_unchanged_and_once(relay: Relay) -> None:
    relay.start()
    product = {
        "event_type": "Bought",
        "user_id": "user-1",
        "device_id": "device-1",
        "insert_id": "bought-1",
        "time": 1_795_219_519_123,
        "event_properties": {
            "price": 9.5,
            "name": "Käse \U0001f9c0 \x1e\n",
            "deep": {"list": [1, None, {"a": True}]},
        },
        "user_properties": {"$set": {"plan": "pro"}},
        "groups": {"org": ["acme", "other"]},
        "session_id": 1_795_219_519_000,
        "library": "curl/8",
        "platform": "Web",
    }
    assert [relay.post(*conversation(), product), relay.post(product), relay.post(product)] == [200] * 3
    sent = [*conversation(), product]
    assert relay.until_arrived(9) == {each["insert_id"]: each for each in sent}
    assert relay.post(event("user", 1, insert_id="last")) == 200
    relay.until_arrived(10)
    assert set(relay.amplitude.accepted.values()) == {1}
    assert relay.health() == {"status": "ok", "forwarding": {"delivered": 10, "pending": 0, "dead": 0}}


def test_an_event_without_an_insert_id_stays_one_event_when_its_request_is_sent_again(relay: Relay) -> None:
    relay.start()
    known = json.dumps({"api_key": "", "events": [event("user"), event("user")]}).encode()
    timeless = json.dumps({"events": [{"event_type": "Heartbeat", "user_id": "user-1"}]}).encode()
    before = time.time_ns() // 1_000_000
    assert [relay.post_body(body) for body in (known, known, timeless, timeless)] == [200] * 4
    arrived = relay.until_arrived(4)
    assert sorted(arrived) == ids(relay)
    assert len(arrived) == 4
    beats = [each for each in arrived.values() if each["event_type"] == "Heartbeat"]
    assert all(before <= each["time"] <= time.time_ns() // 1_000_000 for each in beats)
    assert relay.amplitude.keys == {KEY}


def test_what_amplitude_derives_itself_is_stored_and_not_sent_back(relay: Relay) -> None:
    relay.start()
    sent = [event(kind, insert_id=f"{kind}-1") for kind in ("record", "result", "user")]
    assert relay.post(*sent) == 200
    assert relay.post(event("user", 1, insert_id="last")) == 200
    assert sorted(relay.until_arrived(2)) == ["last", "user-1"]
    assert ids(relay) == ["last", "record-1", "result-1", "user-1"]


def test_projects_beyond_what_it_can_hold_open_wait_with_their_senders(relay: Relay) -> None:
    relay.start()
    relay.amplitude.plan(Step(None))

    def post(number: int) -> int:
        return relay.post(event("user", insert_id=f"event-{number}"), api_key=f"{number:032x}")

    assert [post(number) for number in range(MOST_KEYS)] == [200] * (MOST_KEYS - 1) + [503]
    assert post(0) == 200
    assert len(relay.stored()) == MOST_KEYS - 1
    relay.amplitude.plan(Step(ok))
    until(lambda: post(MOST_KEYS - 1) == 200)
    assert len(relay.until_arrived(MOST_KEYS)) == MOST_KEYS
    assert relay.amplitude.keys == {f"{number:032x}" for number in range(MOST_KEYS)}
    until(lambda: relay.health()["forwarding"]["pending"] == 0)
    assert relay.health()["forwarding"] == {"delivered": MOST_KEYS, "pending": 0, "dead": 0}


# Failures


@pytest.mark.parametrize("outage", [None, status(500), hang], ids=["refused", "500", "hang"])
def test_an_outage_and_a_kill_lose_nothing(relay: Relay, outage: Any) -> None:
    relay.start()
    relay.amplitude.plan(Step(outage))
    assert relay.post(*conversation()) == 200
    assert relay.post(*conversation("sess-2"), api_key=OTHER_KEY) == 200
    if outage:
        until(lambda: relay.amplitude.requests > 0)
    relay.end()
    assert not relay.amplitude.events
    relay.amplitude.plan(Step(ok))
    relay.start()
    assert sorted(relay.until_arrived(8)) == sorted(each["insert_id"] for each in conversation())
    assert relay.health()["forwarding"] == {"delivered": 8, "pending": 0, "dead": 0}
    assert relay.post(event("user", insert_id="later"), api_key=OTHER_KEY) == 200
    assert len(relay.until_arrived(17)) == 17
    assert set(relay.amplitude.accepted.values()) == {1}
    assert relay.amplitude.keys == {KEY, OTHER_KEY}


def test_kills_in_the_middle_lose_nothing_of_senders_that_send_again(relay: Relay, tmp_path: Path) -> None:
    relay.start()
    relay.amplitude.plan(Step(flaky(1, (0.2, status(500)), (0.1, lose_answer))))
    ai = AmplitudeAI(config=AIConfig(server_url=relay.url, spool=str(tmp_path / "sender")))
    session = ai.agent("support").session(user_id="user-1", session_id="sess-1")
    posted = [event("user", number, insert_id=f"posted-{number}") for number in range(150)]
    is_over = threading.Event()

    def post() -> None:
        for each in posted:
            until(lambda each=each: relay.post(each) == 200)  # type: ignore[misc]

    def track() -> None:
        while not is_over.is_set():
            session.track_user_message("Hello")
            time.sleep(0.01)

    threads = [threading.Thread(target=each) for each in (post, track)]
    for thread in threads:
        thread.start()
    for _ in range(4):
        time.sleep(0.7)
        relay.start()
    is_over.set()
    for thread in threads:
        thread.join()
    until(lambda: ai.flush(2.0).pending == 0)
    counts = ai.flush(0.0)
    ai.shutdown()
    assert (counts.pending, counts.dead) == (0, 0)
    assert len(relay.until_arrived(150 + counts.delivered)) == 150 + counts.delivered
    assert ids(relay) == sorted(relay.amplitude.events)


# Kills itself the first time, when events are in the outbox or nearly, and not in the database.
KILLED = """
import os, signal, sys
from pathlib import Path
from amplitude_ai_integrations.analytics.forwarding import Forwarding
from amplitude_ai_integrations.cli.main import main

keep, mark = Forwarding.keep, Path(sys.argv.pop(1))

def killed(self, arrivals):
    if mark.name == "after":
        keep(self, arrivals)
    mark.touch()
    os.kill(os.getpid(), signal.SIGKILL)

if not mark.exists():
    Forwarding.keep = killed
sys.exit(main())
"""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_between_the_outbox_and_the_database(relay: Relay, tmp_path: Path, moment: str) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path / moment)]
    relay.amplitude.plan(Step(None))
    relay.start(command=command)
    assert relay.post(event("user", insert_id="event-1")) == 0
    relay.start(command=command)
    assert relay.stored() == []
    assert relay.post(event("user", insert_id="event-1")) == 200
    relay.amplitude.plan(Step(ok))
    assert sorted(relay.until_arrived(1)) == ids(relay) == ["event-1"]


def test_what_cannot_be_kept_on_disk_is_refused_and_sent_once(relay: Relay) -> None:
    relay.start()
    shutil.rmtree(relay.spool)
    relay.spool.touch()
    relay.amplitude.plan(Step(None))
    kept, not_kept = (event("user", number, insert_id=f"event-{number}") for number in (1, 2))
    assert [relay.post(kept), relay.post(kept), relay.post(not_kept)] == [503] * 3
    assert relay.stored() == []
    relay.amplitude.plan(Step(ok))
    until(lambda: relay.post(kept) == 200)
    assert list(relay.amplitude.events) == ["event-1"]
    relay.spool.unlink()
    until(lambda: relay.post(not_kept) == 200)
    assert sorted(relay.until_arrived(2)) == ids(relay) == ["event-1", "event-2"]
    assert set(relay.amplitude.accepted.values()) == {1}


def test_what_amplitude_refuses_for_good_is_a_dead_letter(relay: Relay) -> None:
    relay.start()
    relay.amplitude.plan(Step(refusing("invalid", lambda each: each["insert_id"] == "bad")))
    assert relay.post(*(event("user", insert_id=name) for name in ("good", "bad", "better"))) == 200
    assert sorted(relay.until_arrived(2)) == ["better", "good"]
    (dead,) = [
        json.loads(line) for path in relay.spool.rglob("dead.jsonl") for line in path.read_text().splitlines()
    ]
    assert (dead["status"], dead["event"]) == (400, event("user", insert_id="bad"))
    assert relay.health()["forwarding"] == {"delivered": 2, "pending": 0, "dead": 1}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(("answer", "arrives"), [(ok, True), (hang, False)], ids=["ok", "hang"])
def test_it_ends_soon_and_leaves_the_rest_for_the_next_start(
    relay: Relay, answer: Any, arrives: bool, number: signal.Signals
) -> None:
    process = relay.start()
    relay.amplitude.plan(Step(answer))
    assert relay.post(event("user", insert_id="event-1")) == 200
    process.send_signal(number)
    assert process.wait(AT_EXIT) == (0 if number == signal.SIGINT else -number)
    assert list(relay.amplitude.events) == ["event-1"] * arrives
    relay.amplitude.plan(Step(ok))
    relay.start()
    assert list(relay.until_arrived(1)) == ["event-1"]
    assert relay.amplitude.accepted["event-1"] == 1


# The command


def test_it_says_where_events_go_and_shows_no_key(relay: Relay) -> None:
    relay.start()
    assert relay.said == (
        f"Agent Analytics: {relay.url}\n"
        f"Forwards new events to {relay.amplitude.url}, to the project with the key ...1234.\n"
        f"Send events to it: export AMPLITUDE_AI_SERVER_URL={relay.url}\n"
        "Ctrl-C stops it.\n"
    )


def test_without_a_url_it_forwards_to_amplitude_in_the_zone(relay: Relay) -> None:
    relay.start(
        "--forward",
        AMPLITUDE_AI_SERVER_ZONE="EU",
        AMPLITUDE_AI_SERVER_URL=relay.url,
        AMPLITUDE_AI_SPOOL="off",
        https_proxy=relay.amplitude.url,
    )
    assert (
        "to Amplitude (EU), to the project with the key ...1234; what waits is in memory only.\n"
        in relay.said
    )
    assert relay.post(event("user", insert_id="event-1")) == 200
    until(lambda: relay.amplitude.requests > 0)
    assert set(relay.amplitude.paths) == {"api.eu.amplitude.com:443"}
    assert not relay.spool.exists()


def test_without_the_option_nothing_leaves(relay: Relay) -> None:
    process = relay.start(
        "--host", "127.0.0.1", https_proxy=relay.amplitude.url, http_proxy=relay.amplitude.url
    )
    assert relay.post(event("user")) == 200
    assert relay.health() == {"status": "ok"}
    process.send_signal(signal.SIGINT)
    assert process.wait(AT_EXIT) == 0
    assert relay.amplitude.connections == 0
    assert not relay.spool.exists()
    assert relay.said.count("\n") == 3


@pytest.mark.parametrize(
    ("words", "variables", "sentence"),
    [
        (
            [],
            {"AMPLITUDE_AI_API_KEY": ""},
            "--forward needs a project: set AMPLITUDE_AI_API_KEY to its API key.",
        ),
        ([], {"AMPLITUDE_AI_API_KEY": "local"}, "--forward needs a project: set AMPLITUDE_AI_API_KEY to"),
        ([], {"AMPLITUDE_AI_DRY_RUN": "1"}, "the environment says that none are to be sent"),
        ([], {"AMPLITUDE_TRACKING_DISABLED": "1"}, "the environment says that none are to be sent"),
        ([], {"AMPLITUDE_AI_SERVER_ZONE": "MARS"}, "server_zone is 'MARS'; use 'US' or 'EU'."),
        (
            [],
            {"AMPLITUDE_AI_SPOOL": "/dev/null"},
            "cannot keep events (Not a directory): set AMPLITUDE_AI_SPOOL",
        ),
        (["nowhere"], {}, "'nowhere' is no URL; give one such as https://api2.amplitude.com"),
        (["http://localhost:99999"], {}, "is no URL"),
        (["http://127.0.0.1:{port}/2/httpapi"], {}, "leads to this relay itself"),
        (
            ["http://user:secret@localhost:{port}"],
            {},
            "--forward http://...@localhost:{port} leads to this relay",
        ),
        (["http://{name}:{port}", "--host", "0.0.0.0"], {}, "leads to this relay itself"),
        (["http://0.0.0.0:{port}"], {}, "leads to this relay itself"),
    ],
)
def test_what_cannot_be_a_relay_is_told_in_a_sentence(
    tmp_path: Path, words: list[str], variables: dict[str, str], sentence: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    given = [word.format(port=port, name=socket.gethostname()) for word in words]
    answer = subprocess.run(
        [*COMMAND, "analytics", "--port", port, "--db", tmp_path / "a.db", "--forward", *given],
        env=environment(**{"AMPLITUDE_AI_SPOOL": str(tmp_path / "spool"), **variables}),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (answer.returncode, answer.stdout) == (2, "")
    assert sentence.format(port=port) in answer.stderr
    assert "Traceback" not in answer.stderr
