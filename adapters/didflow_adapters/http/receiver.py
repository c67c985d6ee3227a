"""Receives the webhooks of a carrier, verifies them, and publishes the results that they report."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

import structlog
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from didflow_adapters.http.attempts import OpenAttempts
from didflow_adapters.http.configuration import Webhook
from didflow_adapters.http.replies import CarrierReply, outcome_of, parse_json, value_at
from didflow_adapters.http.tokens import Tokens, UnknownToken
from didflow_adapters.kit import CommandReference, Later, Outcome
from didflow_webhooks import BadSignature, Verifier

Report: TypeAlias = Callable[[CommandReference, Outcome], Awaitable[None]]
"""Publishes an outcome, and returns when the broker has acknowledged it."""

MAX_BODY_BYTES: Final = 65_536
WITHIN_S: Final = 15.0
"""How long receiving and publishing may take. Senders of webhooks wait 15 seconds or more."""

REMEMBERED: Final = 100_000
_LOG = structlog.get_logger(__name__)


class Receiver:
    """The application that the carrier calls. It may run in several processes with the same secrets and keys.

    A webhook that is repeated at the same process is acknowledged and not published again. At another process it is
    published again, which is harmless. It is acknowledged only after its result is published.
    """

    def __init__(
        self, carrier: str, webhook: Webhook, tokens: Tokens, attempts: OpenAttempts, report: Report
    ) -> None:
        self._carrier = carrier
        self._webhook = webhook
        self._tokens = tokens
        self._attempts = attempts
        self._report = report
        self._verifier = Verifier([place.read().get_secret_value() for place in webhook.secrets])
        self._published: OrderedDict[str, None] = OrderedDict()

    def application(self) -> Starlette:
        """Return the ASGI application. The token is the last segment of any path."""
        route = Route("/{path:path}", self._receive, methods=["POST"])
        return Starlette(routes=[Route("/healthz", _healthy, methods=["GET"]), route])

    async def _receive(self, request: Request) -> Response:
        try:
            async with asyncio.timeout(WITHIN_S):
                return await self._judge(request)
        except TimeoutError:
            return _problem(503, "not_published")
        except ClientDisconnect:
            return _problem(400, "incomplete")

    async def _judge(self, request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return _problem(413, "body_too_large")
        try:
            webhook_id = self._verifier.verify(dict(request.headers), body)
        except BadSignature:
            _LOG.warning("refused a webhook", carrier=self._carrier, code="bad_signature")
            return _problem(401, "bad_signature")
        if webhook_id in self._published:
            return Response(status_code=204)
        document = parse_json(body)
        reference = self._reference(request, document)
        if reference is None:
            _LOG.warning("refused a webhook", carrier=self._carrier, code="unknown_token")
            return _problem(404, "unknown_token")
        outcome = outcome_of(CarrierReply(status=0, json=document), self._webhook.replies)
        if outcome is None:
            _LOG.warning("refused a webhook", carrier=self._carrier, code="unexpected_body")
            return _problem(422, "unexpected_body")
        if not isinstance(outcome, Later):
            for attempt in self._attempts.answered_with(reference):
                await self._report(attempt, outcome)
                self._attempts.remove(attempt)
        self._remember(webhook_id)
        return Response(status_code=204)

    def _reference(self, request: Request, document: Any) -> CommandReference | None:
        """Return the attempt that a webhook answers, or None if it names none of this carrier."""
        pointer = self._webhook.token_at
        if pointer is None:
            token: Any = request.path_params["path"].rpartition("/")[2]
        else:
            token = value_at(document, pointer)
        try:
            reference = self._tokens.read(token) if isinstance(token, str) else None
        except UnknownToken:
            return None
        return reference if reference is not None and reference.carrier == self._carrier else None

    def _remember(self, webhook_id: str) -> None:
        self._published[webhook_id] = None
        if len(self._published) > REMEMBERED:
            self._published.popitem(last=False)


async def _healthy(request: Request) -> Response:  # noqa: ARG001
    return Response(status_code=204)


async def _body(request: Request) -> bytes | None:
    """Return the body, or None if it is too large."""
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > MAX_BODY_BYTES:
            return None
    return bytes(content)


def _problem(status: int, code: str) -> Response:
    return JSONResponse({"code": code}, status_code=status, media_type="application/problem+json")
