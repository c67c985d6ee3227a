"""The gate before every route: who asks, and whether they ask too fast. Nothing of a body is read before it."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from didflow_chassis.http.problems import Problem
from didflow_chassis.http.ratelimit import Buckets
from didflow_chassis.http.running import Authenticates

MAX_TOKEN = 8_192


class Gate:
    """ASGI middleware: puts the caller into the request's state, or raises a Problem.

    It stands inside the Boundary. `public` are the paths that need no token; without `buckets` nobody is too fast.
    """

    def __init__(
        self, app: ASGIApp, *, authenticator: Authenticates, buckets: Buckets | None, public: frozenset[str]
    ) -> None:
        self._app = app
        self._authenticator = authenticator
        self._buckets = buckets
        self._public = public

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or raise Problem (`token_*`, `rate_exceeded`, `unavailable`)."""
        if scope["type"] != "http" or scope["path"] in self._public:
            await self._app(scope, receive, send)
            return
        caller = await self._authenticator.caller(bearer_token(Headers(scope=scope)))
        scope["state"]["caller"] = caller
        if self._buckets is not None:
            _take(self._buckets, (caller.account, caller.subject), scope)
        await self._app(scope, receive, send)


def bearer_token(headers: Headers) -> str:
    """Return the token. Raises Problem `token_missing`, or `token_invalid` for one that cannot be one."""
    given = headers.getlist("authorization")
    if not given:
        raise Problem("token_missing", "Send Authorization: Bearer.", headers={"WWW-Authenticate": "Bearer"})
    scheme, _, token = given[0].partition(" ")
    token = token.strip()
    if len(given) > 1 or scheme.lower() != "bearer" or not token or len(token) > MAX_TOKEN:
        raise unauthorized("token_invalid", "One Authorization header with a bearer token is needed.")
    return token


def unauthorized(code: str, detail: str) -> Problem:
    """Make the problem of a token that is not accepted, with the challenge of RFC 6750."""
    challenge = f'Bearer error="invalid_token", error_description="{detail}"'
    return Problem(code, detail, headers={"WWW-Authenticate": challenge})


def _take(buckets: Buckets, who: tuple[str, str], scope: Scope) -> None:
    allowance = buckets.take(who)
    scope["state"]["headers"].update(buckets.headers(allowance))
    if allowance.refused:
        raise Problem("rate_exceeded", "Nothing was done; try again later.")
