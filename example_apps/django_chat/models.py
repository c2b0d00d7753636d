"""Conversations as the model has them: it forgets each one between two questions."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Conversation(models.Model):  # type: ignore[misc]  # Django carries no types
    """What was said between one person and the guide."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    key = models.CharField(max_length=64)
    messages = models.JSONField(default=list)

    class Meta:
        # By user too: knowing a conversation's key must not open somebody else's.
        constraints = (models.UniqueConstraint(fields=["user", "key"], name="one_conversation"),)
