"""Django, set up once for the whole process: settings, a database on disk, users.

Import this module before anything that needs Django's settings. Views are in `django_views`; a test states
what is different for it with `override_settings`.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

OURS = "amplitude_ai_integrations.django.AmplitudeAIMiddleware"
SESSIONS = "django.contrib.sessions.middleware.SessionMiddleware"
AUTHENTICATION = "django.contrib.auth.middleware.AuthenticationMiddleware"

_folder = tempfile.TemporaryDirectory(prefix="django-site-")

settings.configure(
    SECRET_KEY="not a secret",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="tests.web.django_views",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "amplitude_ai_integrations.django",
    ],
    MIDDLEWARE=[OURS, SESSIONS, AUTHENTICATION],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": Path(_folder.name) / "site.sqlite3",
            "OPTIONS": {"timeout": 10},
        }
    },
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    STATIC_URL="static/",
    USE_TZ=True,
)
django.setup()
call_command("migrate", verbosity=0)

from django.contrib.auth.models import User  # noqa: E402 - models need the settings
from django.contrib.sessions.models import Session  # noqa: E402
from rest_framework.renderers import JSONRenderer  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

__all__ = ["AUTHENTICATION", "OURS", "SESSIONS", "APIView", "JSONRenderer", "Session", "User"]
