"""The session around an app's requests: from before Flask begins to after the last byte."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from ..delivery.flush import FlushResult
from ..middleware import AmplitudeAIWSGIMiddleware, Environ, WSGIApplication
from ..web.body import settle
from ..web.environ import headers_of
from ..web.options import Policy, Resolver
from ..web.request import RequestSession
from .visit import VISIT, Visit, ask


class FlaskSession(RequestSession):
    """The session of a request that Flask answers."""

    __slots__ = ("_visit",)

    def __init__(self, policy: Policy, visit: Visit) -> None:
        super().__init__(policy, lambda: visit, partial(headers_of, visit.environ))
        self._visit = visit

    def answered(self, status: int) -> None:
        """Note the status of the response, and settle what waits while Flask's contexts are still there."""
        super().answered(status)
        settle(self)

    def end(self) -> FlushResult | None:
        """Close the account of this request, and let go of what Flask had for it."""
        try:
            return super().end()
        finally:
            self._visit.forget()


class FlaskMiddleware(AmplitudeAIWSGIMiddleware):
    """Stands around ``app.wsgi_app``."""

    def __init__(self, app: WSGIApplication, policy: Policy) -> None:
        self.app = app
        resolvers: dict[str, Resolver] = {
            name: partial(ask, resolver) for name, resolver in policy.resolvers.items()
        }
        self.policy = replace(policy, resolvers=resolvers)

    def _session(self, environ: Environ) -> RequestSession:
        visit = environ[VISIT] = Visit(environ)
        visit.session = session = FlaskSession(self.policy, visit)
        return session
