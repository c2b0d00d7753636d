"""A whole Django project."""

from __future__ import annotations

import os
import sys

from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import HttpResponse
from django.urls import path


def answer(_request):
    from ask import ask

    assert ask("Hi")
    return HttpResponse(str(os.getpid()))


urlpatterns = [path("", answer)]

if __name__ == "__main__":
    settings.configure(ROOT_URLCONF=__name__, SECRET_KEY="k", ALLOWED_HOSTS=["*"])
    execute_from_command_line(sys.argv)
