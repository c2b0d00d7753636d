"""Somebody who can sign in at once: demo, with the password demo."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import migrations


def create_demo_user(apps: Any, _schema_editor: Any) -> None:
    """Create the user of the demo."""
    apps.get_model("auth", "User").objects.create(username="demo", password=make_password("demo"))


class Migration(migrations.Migration):  # type: ignore[misc]  # Django carries no types
    """Create the user."""

    dependencies = (("django_chat", "0001_initial"), ("auth", "0012_alter_user_first_name_max_length"))
    operations = (migrations.RunPython(create_demo_user, migrations.RunPython.noop),)
