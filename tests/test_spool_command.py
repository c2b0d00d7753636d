"""`amplitude-ai spool`, in a shell of its own, on what real processes have left."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from amplitude_ai_integrations.delivery.outbox.keeping import Destination
from tests.fakes.faults import FaultServer
from tests.fakes.faults_answers import ok, refusing, slow, status
from tests.fakes.faults_plan import Reply, Step

KEY = "0123456789abcdef0123456789ab1234"
COMMAND = [sys.executable, "-m", "amplitude_ai_integrations", "spool"]
NOWHERE = "http://127.0.0.1:9"

TRACKING = """
import os, sys
from amplitude_ai_integrations import AmplitudeAI
ai = AmplitudeAI()
for number in range(int(sys.argv[1])):
    ai.track_user_message(f"user-{number % 3}", f"message {number}", "conversation-1")
print("ready", flush=True)
sys.stdin.read()
os._exit(0)
"""


class Shell:
    """A shell of somebody who runs an application; its variables and its spool."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.spool = folder / "spool"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AMPL")}
        self.variables = {
            **kept,
            "no_proxy": "127.0.0.1",
            "PYTHONIOENCODING": "utf-8",
            "AMPLITUDE_AI_API_KEY": KEY,
            "AMPLITUDE_AI_SERVER_URL": url,
            "AMPLITUDE_AI_SPOOL": str(self.spool),
        }

    def __call__(self, *words: str, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a subcommand."""
        environment = {**self.variables, **variables}
        return subprocess.run(
            [*COMMAND, *words], cwd=self.folder, env=environment, input=stdin, capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Run a subcommand beside the test."""
        quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.Popen([*COMMAND, *words], cwd=self.folder, env=self.variables, **quiet)

    @contextmanager
    def application(self, events: int, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
        """Let a process track events, and live for the length of a block."""
        words = [sys.executable, "-c", TRACKING, str(events)]
        environment = {**self.variables, **variables}
        with (
            (self.folder / "application.log").open("ab") as log,
            subprocess.Popen(
                words, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
            ) as process,
        ):
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield process
            process.kill()

    def leave(self, events: int, **variables: str) -> None:
        """Let a process track events and be killed before they are delivered."""
        with self.application(events, **variables):
            pass

    def listed(self) -> list[dict[str, Any]]:
        """Return what ``list`` says of each destination."""
        found = json.loads(self("list", "--json").stdout)
        assert found["spool"] == str(self.spool)
        return found["destinations"]  # type: ignore[no-any-return]

    def shown(self, *words: str) -> list[dict[str, Any]]:
        """Return the lines of ``show``."""
        return [json.loads(line) for line in self("show", *words).stdout.splitlines()]

    @property
    def place(self) -> Destination:
        """The only destination."""
        (folder,) = self.spool.iterdir()
        return Destination(folder)

    def bury(self, *users: str, count: int = 1, reason: str = "HTTP 400: told to") -> None:
        """Let events be dead."""
        for user in users:
            for number in range(count):
                about = {"event_type": "t", "user_id": user, "insert_id": f"dead-{user}-{number}", "time": 1}
                self.place.letters.add(json.dumps(about).encode(), reason, 400, 1)


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer().running() as running:
        yield running


@pytest.fixture
def shell(tmp_path: Path, server: FaultServer) -> Shell:
    """A shell whose server is well."""
    return Shell(tmp_path, server.url)


@pytest.fixture
def cut_off(tmp_path: Path, server: FaultServer) -> Shell:
    """A shell whose server refuses connections."""
    server.plan(Step(None))
    return Shell(tmp_path, server.url)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


# Looking


def test_without_a_subcommand_it_says_which_there_are(shell: Shell) -> None:
    answer = shell()
    assert answer.returncode == 0
    assert "forget" in answer.stdout


def test_a_spool_that_is_not_there_yet_holds_nothing(shell: Shell) -> None:
    answer = shell("list")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout == f"Spool: {shell.spool}\nNothing waits, and nothing is dead.\n"
    assert not shell.spool.exists()


def test_what_waits_in_which_destination(cut_off: Shell) -> None:
    cut_off.leave(3)
    cut_off.bury("user-1", count=2)
    cut_off.leave(1, AMPLITUDE_AI_API_KEY="f" * 32)
    with cut_off.application(2):
        answer = cut_off("list")
        found = {it["is_this_environment"]: it for it in cut_off.listed()}
    mine, other = found[True], found[False]
    # The application may have taken over what the process before it has left.
    assert (mine["waiting"]["events"], other["waiting"]["events"]) == (5, 1)
    assert mine["waiting"]["held_events"] in (2, 5)
    assert mine["files"]["held"] + mine["files"]["left"] == 2
    assert other["files"] == {"held": 0, "left": 1, "of_later_version": 0}
    assert (mine["dead"], other["dead"]) == ({"HTTP 400: told to": 2}, {})
    assert 0 < mine["waiting"]["oldest_seconds"] < 60
    assert f"\n{mine['name']}, of this environment's key and server\n  waiting: 5 events, " in answer.stdout
    assert f"\n{other['name']}\n  waiting: 1 event, " in answer.stdout
    assert "  dead: 2 events\n    2 HTTP 400: told to\n" in answer.stdout


def test_events_as_lines_and_in_a_file_of_ones_own(cut_off: Shell) -> None:
    cut_off.leave(2)
    cut_off.bury("Zoë \U0001f600")
    lines = cut_off.shown()
    assert [line["state"] for line in lines] == ["waiting", "waiting", "dead"]
    assert [line["event"]["user_id"] for line in lines] == ["user-0", "user-1", "Zoë \U0001f600"]
    assert {key: lines[2][key] for key in ("reason", "status", "attempts")} == {
        "reason": "HTTP 400: told to", "status": 400, "attempts": 1,
    }  # fmt: skip
    name = cut_off.place.name
    assert cut_off.shown("--waiting") == lines[:2]
    assert cut_off.shown("--dead", "--destination", name[:5]) == lines[2:]
    answer = cut_off("export", "events.jsonl", "--waiting")
    file = cut_off.folder / "events.jsonl"
    assert (answer.returncode, answer.stdout) == (0, "2 events in events.jsonl.\n")
    assert file.stat().st_mode & 0o777 == 0o600
    assert [json.loads(line) for line in file.read_text().splitlines()] == lines[:2]
    before = file.read_bytes()
    again = cut_off("export", "events.jsonl")
    assert (again.returncode, again.stderr) == (
        2, "amplitude-ai: events.jsonl is there already; name a file that is not.\n",
    )  # fmt: skip
    assert file.read_bytes() == before


def test_lines_are_json_wherever_they_are_printed(cut_off: Shell) -> None:
    cut_off.leave(1)
    cut_off.bury("Zoë")
    answer = cut_off("show", "--dead", PYTHONIOENCODING="ascii")
    assert json.loads(answer.stdout)["event"]["user_id"] == "Zoë"


# Sending


def test_what_ended_processes_left_is_sent(shell: Shell, server: FaultServer) -> None:
    server.plan(Step(None))
    shell.leave(3)
    shell.leave(4)
    made = {line["event"]["insert_id"] for line in shell.shown()}
    answer = shell("replay", "--timeout", "1")
    assert answer.returncode == 1
    assert answer.stdout.startswith("Delivered 0 events.\n7 events left: ConnectionRefusedError: ")
    assert answer.stderr == ""
    server.plan(Step(ok))
    answer = shell("replay")
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "Delivered 7 events.\n", "")
    assert dict(server.accepted) == dict.fromkeys(made, 1)
    assert server.keys == {KEY}
    assert shell("replay").stdout == "Delivered 0 events.\n"


def test_only_this_environments_destination_is_sent(shell: Shell, server: FaultServer) -> None:
    shell.leave(2, AMPLITUDE_AI_SERVER_URL=NOWHERE)
    answer = shell("replay")
    told = "Nothing is left for this environment's key and server. 1 other destination there.\n"
    assert (answer.returncode, answer.stdout, server.requests) == (0, told, 0)
    assert len(shell.shown()) == 2


def test_dead_letters_are_sent_again_and_return_once(shell: Shell, server: FaultServer) -> None:
    server.plan(Step(None))
    shell.leave(1)
    shell.bury("user-1", "user-2", count=3)
    server.plan(Step(refusing("invalid", lambda event: event["user_id"] == "user-2")))
    answer = shell("replay")
    assert (answer.returncode, answer.stdout) == (0, "Delivered 1 event.\n")
    answer = shell("replay", "--dead")
    assert answer.returncode == 1
    refused = "3 events refused, dead letters now: HTTP 400: Request has invalid events\n"
    assert answer.stdout == f"Delivered 3 events.\n{refused}"
    assert [line["event"]["insert_id"] for line in shell.shown()] == [f"dead-user-2-{n}" for n in range(3)]
    server.plan(Step(ok))
    assert shell("replay", "--dead").returncode == 0
    assert (len(server.accepted), set(server.accepted.values())) == (7, {1})
    assert shell.shown() == []


def test_replays_that_are_killed_lose_nothing(shell: Shell, server: FaultServer) -> None:
    server.plan(Step(None))
    shell.leave(300)
    shell.bury("user-8", "user-9", count=600)
    made = {line["event"]["insert_id"] for line in shell.shown()}
    doomed = {name for name in made if "user-9" in name}
    server.plan(Step(refusing("invalid", lambda event: event["user_id"] == "user-9")))
    dice = random.Random(7)
    for _ in range(8):
        replay = shell.start("replay", "--dead")
        time.sleep(dice.uniform(0.1, 0.6))
        replay.kill()
        replay.wait()
        there = {line["event"]["insert_id"] for line in shell.shown()}
        assert there | {*server.accepted} == made
    assert shell("replay", "--dead").returncode == 1
    assert {*server.accepted} == made - doomed
    dead = [line["event"]["insert_id"] for line in shell.shown()]
    assert (len(dead), {*dead}) == (len(doomed), doomed)


def test_two_replays_at_once_send_nothing_twice(shell: Shell, server: FaultServer) -> None:
    server.plan(Step(None))
    for _ in range(6):
        shell.leave(50)
    shell.bury("user-9", count=100)
    server.plan(Step(slow(0.05)))
    replays = [shell.start("replay", "--dead") for _ in range(3)]
    assert [replay.wait(60) for replay in replays] == [0, 0, 0]
    assert (len(server.accepted), set(server.accepted.values())) == (400, {1})
    assert shell.shown() == []


def test_a_replay_beside_a_running_application(shell: Shell, server: FaultServer) -> None:
    server.plan(Step(status(500)))
    with shell.application(5):
        shell.leave(4)
        shell.bury("user-9", count=3)
        until(lambda: server.requests > 0)
        answer = shell("replay", "--dead", "--timeout", "0.5")
        assert "in files of running processes, which send them." in answer.stdout
        server.plan(Step(ok))
        assert shell("replay").returncode == 0
        until(lambda: len(server.accepted) == 12)
    assert set(server.accepted.values()) == {1}


def test_a_key_in_an_answer_is_not_told(shell: Shell, server: FaultServer) -> None:
    server.plan(Step(None))
    shell.leave(1)
    shell.bury("user-1", reason=f"HTTP 400: no project {KEY}\x1b[2J")
    server.plan(Step(lambda _request: Reply(400, {"code": 400, "error": f"Invalid API key: {KEY}\x1b[2J"})))
    answers = [shell("replay", "--timeout", "1"), shell("list"), shell("list", "--json"), shell("show")]
    answers += [shell("replay", "--dead", "--timeout", "1", PYTHONWARNINGS="default")]
    assert "2 events left: HTTP 400: Invalid API key: ... [2J\n" in answers[-1].stdout
    for answer in answers:
        assert KEY not in answer.stdout + answer.stderr
        assert "\x1b" not in answer.stdout + answer.stderr


def test_an_interrupted_replay_ends_at_once_and_leaves_the_rest(cut_off: Shell) -> None:
    cut_off.leave(2)
    replay = cut_off.start("replay", "--timeout", "600")
    until(lambda: cut_off.place.summary().held == 1)
    replay.send_signal(signal.SIGINT)
    assert replay.wait(10) == 130
    assert len(cut_off.shown()) == 2


# Deleting


def test_purging_asks_first(cut_off: Shell) -> None:
    cut_off.leave(2)
    cut_off.bury("user-1")
    question = "Delete 2 waiting events and 1 dead letter, undelivered? [y/N] "
    for said in ("n\n", "\n", "what?\n"):
        answer = cut_off("purge", stdin=said)
        assert (answer.returncode, answer.stdout) == (1, f"{question}Nothing was deleted.\n")
    nobody = cut_off("purge")
    assert (nobody.returncode, nobody.stderr) == (
        2,
        "amplitude-ai: Nobody is there to be asked; add --yes.\n",
    )
    assert len(cut_off.shown()) == 3
    answer = cut_off("purge", "--dead", "--yes")
    assert (answer.returncode, answer.stdout) == (0, "Deleted 0 waiting events and 1 dead letter.\n")
    assert len(cut_off.shown("--waiting")) == 2
    answer = cut_off("purge", "--waiting", stdin="y\n")
    assert answer.stdout.endswith("] Deleted 2 waiting events and 0 dead letters.\n")
    assert cut_off.shown() == []


def test_purging_leaves_running_processes_alone(shell: Shell, server: FaultServer) -> None:
    server.plan(Step(None))
    with shell.application(3):
        answer = shell("purge", "--yes")
        assert answer.returncode == 1
        assert answer.stdout == (
            "Deleted 0 waiting events and 0 dead letters.\n"
            "3 events in files of running processes were left alone.\n"
        )
        server.plan(Step(ok))
        until(lambda: len(server.accepted) == 3)


def test_a_user_is_forgotten_in_all_destinations(cut_off: Shell) -> None:
    cut_off.leave(6)
    cut_off.bury("user-1", "user-2")
    cut_off.leave(3, AMPLITUDE_AI_API_KEY="")
    answer = cut_off("forget", "user-1")
    assert (answer.returncode, answer.stdout) == (0, "Deleted 3 waiting events and 1 dead letter.\n")
    assert {line["event"]["user_id"] for line in cut_off.shown()} == {"user-0", "user-2"}
    assert len(cut_off.shown()) == 7
    assert all(b'"user-1"' not in file.read_bytes() for file in cut_off.spool.rglob("*.*"))
    assert cut_off("forget", "--device", "user-2").stdout.startswith("Deleted 0 waiting events and 0 ")


def test_events_of_a_user_that_a_running_process_holds_are_said(shell: Shell, server: FaultServer) -> None:
    server.plan(Step(None))
    with shell.application(5):
        answer = shell("forget", "user-1", "--timeout", "0.2")
        assert answer.returncode == 1
        assert "\n2 events of theirs remain in files of running processes; run this again" in answer.stdout
        server.plan(Step(ok))
        answer = shell("forget", "user-1", "--timeout", "30")
        assert answer.returncode == 0
    assert sum(event["user_id"] == "user-1" for event in server.events.values()) == 2


def test_events_of_a_process_that_ends_meanwhile_are_forgotten(cut_off: Shell) -> None:
    with cut_off.application(5) as process:
        forget = cut_off.start("forget", "user-1", "--timeout", "60")
        time.sleep(1)  # it may not have come to it yet, which is as well
        assert forget.poll() is None
        process.kill()
        assert forget.wait(30) == 0
    assert [line["event"]["user_id"] for line in cut_off.shown()] == ["user-0", "user-2", "user-0"]


# Mistakes


@pytest.mark.parametrize(
    ("words", "variables", "sentence"),
    [
        (["list", "--spool", "nowhere"], {}, "/nowhere; name the folder that AMPLITUDE_AI_SPOOL names.\n"),
        (["list"], {"AMPLITUDE_AI_SPOOL": "off"}, "the spool is 'off'; name a folder with --spool.\n"),
        (["list", "--spool", "files"], {}, "/files is no spool, it holds 'notes.txt'; name the folder that is set "),
        (["purge", "--yes", "--spool", "files"], {}, "/files is no spool"),
        (["list", "--spool", "files/notes.txt"], {}, "notes.txt is no folder; name one that a spool is in.\n"),
        (["list", "--spool", "long" * 2000], {}, "File name too long: "),
        (["list"], {"AMPLITUDE_AI_SERVER_ZONE": "MARS"}, "server_zone is 'MARS'; use 'US' or 'EU'."),
        (["replay"], {"AMPLITUDE_AI_API_KEY": "", "AMPLITUDE_AI_SERVER_URL": ""}, "Nothing says where to send"),
        (["replay"], {"AMPLITUDE_TRACKING_DISABLED": "true"}, "This environment sends nothing: unset "),
        (["replay", "--timeout", "soon"], {}, "'soon' is no time; give seconds, such as 30\n"),
        (["replay", "--timeout", "nan"], {}, "'nan' is no time"),
        (["show", "--destination", "x"], {}, "0 destinations begin with 'x'; `amplitude-ai spool list` names"),
        (["export", "/nowhere/at/all"], {}, "No such file or directory: /nowhere/at/all\n"),
        (["forget", ""], {}, "The id is empty; name a user, or a device with --device.\n"),
        (["forget"], {}, "the following arguments are required: USER\n"),
        (["mend"], {}, "invalid choice: 'mend'"),
    ],
)  # fmt: skip
def test_a_mistake_gets_one_sentence(
    tmp_path: Path, words: list[str], variables: dict[str, str], sentence: str
) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "notes.txt").touch()
    answer = Shell(tmp_path, NOWHERE)(*words, **variables)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert sentence in answer.stderr
    assert "Traceback" not in answer.stderr
    assert [file.name for file in tmp_path.rglob("*")] == ["files", "notes.txt"]


def test_the_folder_of_one_destination_is_told_from_the_spool(cut_off: Shell) -> None:
    cut_off.leave(1)
    folder = cut_off.place.folder
    answer = cut_off("list", "--spool", str(folder))
    assert answer.returncode == 2
    told = f"use --spool {folder.parent} --destination {folder.name}.\n"
    assert answer.stderr == f"amplitude-ai: {folder} is one destination of a spool; {told}"


def test_a_reader_who_leaves_is_no_error(cut_off: Shell) -> None:
    cut_off.leave(2000)
    with subprocess.Popen(
        [*COMMAND, "show"], env=cut_off.variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as show:
        assert show.stdout is not None
        assert show.stderr is not None
        show.stdout.readline()
        show.stdout.close()
        assert show.stderr.read() == b""
    assert show.returncode == 141
