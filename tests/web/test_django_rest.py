"""Views of Django REST framework: what it makes an answer of is no error, whom it authenticates is the user."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import path
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from .django_hosting import OpenDjango
from .django_site import APIView, JSONRenderer, User
from .django_views import speak
from .reading import Expected

pytest_plugins = ["tests.web.django_fixtures"]


class ByHeader(BaseAuthentication):
    def authenticate(self, request: Any) -> Any:
        key = request.headers.get("x-user")
        return (User(pk=int(key)), None) if key else None


class Agent(APIView):
    authentication_classes = (ByHeader,)
    renderer_classes = (JSONRenderer,)

    def get(self, request: Any) -> Response:
        speak()
        return Response({"text": "done"})

    def put(self, request: Any) -> Response:
        speak()
        raise ValidationError({"text": "too short"})

    def delete(self, request: Any) -> Response:
        speak()
        raise LookupError("in the view")


urlpatterns = [path("agent", Agent.as_view())]


@pytest.mark.parametrize(
    ("method", "status", "failure"),
    [
        ("GET", 200, {}),
        ("PUT", 400, {}),
        ("DELETE", 500, {"is_error": True, "error_type": "LookupError"}),
    ],
)
@pytest.mark.parametrize("user", ["7", None])
def test_a_view_of_the_rest_framework(
    open_django: OpenDjango, method: str, status: int, failure: dict[str, Any], user: str | None
) -> None:
    site = open_django({"ROOT_URLCONF": __name__})
    headers = {"x-user": user} if user else {}
    assert site.request(method, "/agent", headers=headers).status_code == status
    expected = Expected().of_user(user) if user else Expected()
    assert site.events == [*expected.exchange(), *expected.end(**failure)]
