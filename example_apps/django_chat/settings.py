"""Settings of the travel guide. What Agent Analytics needs of them is marked."""

from __future__ import annotations

import os
from pathlib import Path

BASE_DIR = Path(__file__).parent
SECRET_KEY = os.environ.get("SECRET_KEY", "only for a demo on this machine")
DEBUG = True
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "amplitude_ai_integrations.django",  # Agent Analytics
    "example_apps.django_chat",
]
MIDDLEWARE = [
    "amplitude_ai_integrations.django.AmplitudeAIMiddleware",  # Agent Analytics
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
# Where events go, the environment says: AMPLITUDE_AI_API_KEY or AMPLITUDE_AI_SERVER_URL.
AMPLITUDE_AI = {  # Agent Analytics
    "AGENT_ID": "travel-guide",
    "SESSION_ID_RESOLVER": "example_apps.django_chat.views.current_conversation",
}

ROOT_URLCONF = "example_apps.django_chat.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("DATABASE", str(BASE_DIR / "db.sqlite3")),
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR.parent / "fastapi_chat" / "static"]  # the same page, in the same clothes
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
USE_TZ = True
