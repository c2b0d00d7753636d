"""Programs and servers of every kind are observed without a change in them, their children included."""

from __future__ import annotations

from collections import Counter

import pytest

from ..fakes.openai_server import TEXT
from ..providers.expected import Event
from .calling import exchange
from .running import PYTHON, Place, free_port, listening, visit

EXCHANGE = exchange(device_id="<id>")


def sorted_(events: list[Event]) -> list[str]:
    return sorted(map(repr, map(sorted, map(dict.items, events))))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "command", [(PYTHON, "ask.py"), (PYTHON, "-m", "ask"), ("-m", "ask"), (PYTHON, "spawning.py")]
)
def test_a_program_prints_what_it_prints_and_its_events_arrive(
    place: Place, command: tuple[str, ...]
) -> None:
    done = place.run(*command)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{TEXT}\n", "")
    assert place.arrived == EXCHANGE


def test_a_program_that_patches_for_itself_has_the_last_word(place: Place) -> None:
    done = place.run(PYTHON, "patching_itself.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{TEXT}\n", "")
    assert place.arrived == []


@pytest.mark.parametrize("loaded", ["in each worker", "before the fork"])
def test_workers_of_gunicorn(place: Place, loaded: str) -> None:
    options = ("--workers", "2", "--no-control-socket", "--log-level", "warning")
    more = ("--preload",) if loaded == "before the fork" else ()
    visits: Counter[str] = Counter()
    with listening() as (listener, url):
        command = (PYTHON, "-m", "gunicorn", "--bind", f"fd://{listener}", *options, *more, "serving:app")
        with place.server(*command, listener=listener) as server:
            while len(visits) < 2 and sum(visits.values()) < 100:
                visits[visit(url)] += 1
            assert server.end() == 0, server.printed
    assert len(visits) == 2
    assert sorted_(place.arrived) == sorted_(EXCHANGE * sum(visits.values()))
    assert "amplitude" not in server.printed


def test_uvicorn(place: Place) -> None:
    with listening() as (listener, url):
        command = (PYTHON, "-m", "uvicorn", "--fd", str(listener), "--log-level", "warning", "serving:asgi")
        with place.server(*command, listener=listener) as server:
            visit(url)
            place.wait_for_events(2)  # it ends as by a signal that it does not handle
            server.end()
    assert place.arrived == EXCHANGE
    assert server.printed == ""


@pytest.mark.parametrize(
    "command",
    [
        (PYTHON, "-m", "flask", "--app", "serving", "run", "--port"),
        (PYTHON, "-m", "manage", "runserver", "--noreload"),
    ],
)
def test_servers_for_development(place: Place, command: tuple[str, ...]) -> None:
    port = free_port()
    with place.server(*command, str(port)) as server:
        visit(f"http://127.0.0.1:{port}/")
        place.wait_for_events(2)
    assert place.arrived == EXCHANGE
    assert "amplitude" not in server.printed
