"""The addresses of the travel guide."""

from __future__ import annotations

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from example_apps.django_chat import views

urlpatterns = [
    path("", views.page),
    path("chat", views.chat),
    path("feedback", views.feedback),
    path("login", LoginView.as_view(), name="login"),
    path("logout", LogoutView.as_view(next_page="login"), name="logout"),
]
