"""What resolvers answer, and what becomes of one that fails or answers nonsense."""

from __future__ import annotations

import uuid
from asyncio import CancelledError
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..context.identity import usable_id
from ..exceptions import logger

_logged: set[tuple[str, int]] = set()


class Late:
    """An answer that is to be found when the handler is done: by ``find()`` where a server runs in threads.

    A subclass is awaitable, for servers that run on an event loop.
    """

    def __init__(self, find: Callable[[], Any]) -> None:
        self.find = find


@contextmanager
def logged_once(name: str, resolver: Callable[[Any], Any]) -> Iterator[None]:
    """Keep a resolver's error away from the response, and say it once a process and resolver.

    A resolver is the application's own code, so its errors are not raised again under our tests.
    """
    try:
        yield
    except (Exception, CancelledError) as error:  # noqa: BLE001 - whatever the application's code raises
        key = (name, id(resolver))
        if key not in _logged:
            _logged.add(key)
            logger.warning("The resolver of %s failed; events go without it.", name, exc_info=error)


def id_of(answers: Mapping[str, Any], name: str) -> str | None:
    """Return a resolver's answer as an id; anything that cannot be one counts as no answer."""
    answer = answers.get(name)
    if answer is None:
        return None
    if isinstance(answer, bool) or not isinstance(answer, (str, int, uuid.UUID)):
        _say_once(name, answer)
        return None
    return usable_id(str(answer), name)


def mapping_of(answers: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """Return a resolver's answer as a mapping, or nothing."""
    answer = answers.get(name)
    if answer is None or isinstance(answer, Mapping):
        return answer
    _say_once(name, answer)
    return None


def _say_once(name: str, answer: Any) -> None:
    key = (name, hash(type(answer)))
    if key not in _logged:
        _logged.add(key)
        logger.warning("The resolver of %s answered %s; events go without it.", name, type(answer).__name__)
