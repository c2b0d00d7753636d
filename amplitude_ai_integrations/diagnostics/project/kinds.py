"""The kinds of applications we have a line for: how each is made, and the line."""

from __future__ import annotations

from typing import Final, NamedTuple

ASGI_DOOR: Final = "AmplitudeAIMiddleware"
WSGI_DOOR: Final = "AmplitudeAIWSGIMiddleware"
FLASK_DOOR: Final = "AmplitudeAIFlask"
CELERY_DOOR: Final = "AmplitudeAICelery"
DRAMATIQ_DOOR: Final = "AmplitudeAIDramatiq"
BY_HAND: Final = "carry_on"  # the door of every other queue
DOORS: Final = (ASGI_DOOR, WSGI_DOOR, FLASK_DOOR, CELERY_DOOR, DRAMATIQ_DOOR)


class Kind(NamedTuple):
    """One kind of application: how it is made, which doors serve it, and the line that is to be added."""

    name: str
    package: str
    makers: tuple[str, ...]
    doors: tuple[str, ...]
    home: str
    line: str


_ADD: Final = "{app}.add_middleware(AmplitudeAIMiddleware, amplitude_ai={ai})"
KINDS: Final = (
    Kind("FastAPI", "fastapi", ("FastAPI",), (ASGI_DOOR,), "middleware", _ADD),
    Kind("Starlette", "starlette", ("Starlette",), (ASGI_DOOR,), "middleware", _ADD),
    Kind(
        "Litestar",
        "litestar",
        ("Litestar",),
        (ASGI_DOOR,),
        "middleware",
        "from litestar.middleware import DefineMiddleware\n"
        "Litestar(..., middleware=[DefineMiddleware(AmplitudeAIMiddleware, amplitude_ai={ai})])",
    ),
    Kind(
        "Quart",
        "quart",
        ("Quart",),
        (ASGI_DOOR,),
        "middleware",
        "{app}.asgi_app = AmplitudeAIMiddleware({app}.asgi_app, amplitude_ai={ai})",
    ),
    Kind(
        "Flask",
        "flask",
        ("Flask",),
        (FLASK_DOOR, WSGI_DOOR),
        "flask",
        "AmplitudeAIFlask({app}, amplitude_ai={ai})",
    ),
)
WORKERS: Final = (
    Kind(
        "Celery",
        "celery",
        ("Celery",),
        (CELERY_DOOR, BY_HAND),
        "workers.celery",
        "AmplitudeAICelery({app}, amplitude_ai={ai})",
    ),
    Kind(
        "Dramatiq",
        "dramatiq",
        ("RabbitmqBroker", "RedisBroker", "StubBroker"),
        (DRAMATIQ_DOOR, BY_HAND),
        "workers.dramatiq",
        "{app}.add_middleware(AmplitudeAIDramatiq(amplitude_ai={ai}))",
    ),
)
