"""Who sends a request, and how many requests it may send.

The caller is known before any part of the body is read. Requests without an accepted token are limited by the network
that they come from; accepted ones by caller and by account.
Source: spec http, Authentication; design reliability, Limits we offer.
"""

from collections.abc import Hashable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from didflow_chassis.decision import Caller
from didflow_chassis.http.addresses import network_of
from didflow_chassis.http.limits import Limits
from didflow_chassis.http.problems import Problem
from didflow_chassis.http.runtime import TokenVerifier
from didflow_chassis.http.tokens import bearer_token


class Authentication:
    """ASGI middleware that puts the caller into the state of the request, or raises a Problem.

    `public` are the paths that need no token. Without `limits` nothing is limited. `address_header` is the header in
    which a proxy writes the address of the client, if there is one.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        verifier: TokenVerifier,
        limits: Limits | None,
        public: frozenset[str],
        address_header: str | None = None,
    ) -> None:
        self._app = app
        self._verifier = verifier
        self._limits = limits
        self._public = public
        self._address_header = address_header

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Process the request of a known caller. Raises Problem `token_*`, `rate_exceeded`, `unavailable`."""
        if scope["type"] == "http":
            if scope["path"] in self._public:
                self._count_failure(scope, network_of(scope, self._address_header))
            else:
                caller = await self._caller(scope)
                scope["state"]["caller"] = caller
                self._take(scope, caller)
        await self._app(scope, receive, send)

    async def _caller(self, scope: Scope) -> Caller:
        """Return the caller. Each failure counts for its network, and for the known caller that it claims to be.

        A network that has failed too often is refused without verifying a signature, except for tokens that were
        accepted recently. A known caller with a new token has a share of its own, so that it is not refused because of
        others behind the same address.
        """
        network: Hashable = network_of(scope, self._address_header)
        try:
            token = bearer_token(Headers(scope=scope))
        except Problem:
            self._count_failure(scope, network)
            raise
        caller = self._verifier.remembered(token)
        if caller is not None:
            return caller
        claimant = self._verifier.claimant(token)
        place = network if claimant is None else (network, *claimant)
        self._check_failures(scope, place)
        try:
            return await self._verifier.caller(token)
        except Problem as problem:
            if problem.status_code == 401:
                self._count_failure(scope, place)
            raise

    def _check_failures(self, scope: Scope, place: Hashable) -> None:
        if self._limits is not None:
            self._limits.check_failures(place, scope["state"]["headers"])

    def _count_failure(self, scope: Scope, place: Hashable) -> None:
        if self._limits is not None:
            self._limits.count_failure(place, scope["state"]["headers"])

    def _take(self, scope: Scope, caller: Caller) -> None:
        if self._limits is not None:
            self._limits.take(caller.account, caller.subject, scope["state"]["headers"])
