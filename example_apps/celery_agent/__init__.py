"""A web app that hands questions to an agent in a Celery worker."""

from __future__ import annotations
