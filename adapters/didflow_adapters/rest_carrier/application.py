"""The HTTP API of the carrier."""

import asyncio
import hashlib
import hmac
import json
import math
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from didflow_adapters.kit import Failed, Later
from didflow_adapters.rest_carrier.behavior import STATUS_OF, Behavior, scripted
from didflow_adapters.rest_carrier.deliveries import Deliveries
from didflow_adapters.rest_carrier.numbers import Numbers, Operation, UnknownNumber
from didflow_adapters.rest_carrier.request_window import RequestWindow
from didflow_adapters.simulated_carrier import scenario_of
from didflow_contracts.vocabulary import CarrierAction

MAX_BODY_BYTES: Final = 1_000_000
_NUMBER: Final = re.compile(r"\+[0-9]{5,15}")
_ROUTES: Final[dict[str, CarrierAction]] = {"suspend": "suspend", "resume": "resume"}
_SETTINGS: Final[dict[str, CarrierAction]] = {
    "voice": "set_voice",
    "capacity": "set_capacity",
    "sms": "set_sms",
}


class Rejected(Exception):
    """A request gets an error as its reply."""

    def __init__(self, status: int, code: str, retry_after_s: float | None = None) -> None:
        super().__init__(code)
        self.status, self.code, self.retry_after_s = status, code, retry_after_s

    def response(self) -> Response:
        """Return the reply."""
        wait = {} if self.retry_after_s is None else {"Retry-After": str(math.ceil(self.retry_after_s))}
        content = {"error": {"code": self.code, "message": f"The request was refused: {self.code}."}}
        return JSONResponse(content, self.status, wait)


class RestCarrier:
    """The carrier: its state, and the application that serves its API.

    Every change needs an `Idempotency-Key`. What succeeded is answered again and not done again.
    """

    def __init__(
        self, behavior: Behavior, token: str, deliveries: Deliveries | None = None, log: Path | None = None
    ) -> None:
        self.behavior = behavior
        self.numbers = Numbers(any_number=behavior.any_number, log=log)
        self.window = RequestWindow(behavior.rate_per_s)
        self._token = token.encode()
        self._deliveries = deliveries
        self._tasks: set[asyncio.Task[None]] = set()
        self._replays = 0

    def application(self) -> Starlette:
        """Return the ASGI application."""
        number = "/numbers/{number}"
        return Starlette(
            routes=[
                Route(number, self._number, methods=["GET", "PUT", "PATCH", "DELETE"]),
                Route(number + "/{verb}", self._number, methods=["POST"]),
                Route("/operations/{operation}", self._operation, methods=["GET"]),
                Route("/log", self._log, methods=["GET"]),
            ]
        )

    async def aclose(self) -> None:
        """Forget the effects that are still to come, and send no more webhooks."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._deliveries is not None:
            await self._deliveries.aclose()

    async def _number(self, request: Request) -> Response:
        try:
            self._admit(request)
            number = _number(request.path_params["number"])
            if request.method == "GET":
                return self._shown(number)
            body = await _json(request)
            return await self._change(request, _action(request, body), number, body)
        except Rejected as rejected:
            return rejected.response()

    async def _operation(self, request: Request) -> Response:
        try:
            self._admit(request)
            return self._shown_operation(request.path_params["operation"])
        except Rejected as rejected:
            return rejected.response()

    async def _log(self, request: Request) -> Response:
        """Return what was executed, and how many requests came. It does not count as a request itself."""
        if not self._is_authorized(request):
            return Rejected(401, "unauthorized").response()
        return JSONResponse(
            {
                "executions": [asdict(each) for each in self.numbers.executions],
                "numbers": self.numbers.numbers,
                "served": self.window.served,
                "refused": self.window.refused,
                "replays": self._replays,
                "most_asked_in_a_second": self.window.most_asked_in_a_second,
                "webhooks": list(self._deliveries.sent) if self._deliveries else [],
            }
        )

    def _is_authorized(self, request: Request) -> bool:
        given = request.headers.get("authorization", "").encode()
        return hmac.compare_digest(given, b"Bearer " + self._token)

    def _admit(self, request: Request) -> None:
        """Refuse a request without the token, and one above the rate. What is refused has no effect."""
        if not self._is_authorized(request):
            raise Rejected(401, "unauthorized")
        wait_s = self.window.wait_s()
        if wait_s is not None:
            raise Rejected(429, "rate_limited", wait_s)

    def _shown(self, number: str) -> Response:
        found = self.numbers.numbers.get(number)
        if found is None:
            raise Rejected(404, "number_unknown")
        return JSONResponse({"number": number} | found)

    def _shown_operation(self, operation_id: str) -> Response:
        found = self.numbers.by_id.get(operation_id)
        if found is None:
            raise Rejected(404, "operation_unknown")
        return JSONResponse(found.shown())

    async def _change(
        self, request: Request, action: CarrierAction, number: str, body: dict[str, Any]
    ) -> Response:
        key = request.headers.get("idempotency-key", "")
        if not 1 <= len(key) <= 255:
            raise Rejected(400, "idempotency_key_missing")
        callback = body.pop("callback_url", None)
        fingerprint = hashlib.sha256(json.dumps([action, number, body], sort_keys=True).encode()).digest()
        operation = self.numbers.operation(key, number, action, fingerprint)
        if operation.fingerprint != fingerprint:
            raise Rejected(422, "idempotency_key_reused")
        if operation.in_flight:
            raise Rejected(409, "in_flight", 1)
        if operation.accepted:
            self._replays += 1
            return _answer(operation, is_replay=True)
        operation.in_flight = True
        operation.attempts += 1
        try:
            is_silent = await self._try(operation, body, callback)
        finally:
            operation.in_flight = False
        if is_silent:
            await _until_the_client_is_gone(request)
        return _answer(operation, is_replay=False)

    async def _try(self, operation: Operation, settings: dict[str, Any], callback: Any) -> bool:
        """Carry out one attempt. Return True if its reply never comes. Raises Rejected."""
        number, key = operation.number, operation.key
        await asyncio.sleep(max(self.behavior.latency_s, scenario_of(number).latency_s))
        ending = scripted(number, operation.action, operation.attempts)
        if isinstance(ending, Later):
            return True
        is_asynchronous = operation.action in self.behavior.asynchronous
        if isinstance(ending, Failed) and (ending.retryable or not is_asynchronous):
            raise Rejected(STATUS_OF[ending.code], ending.code, ending.retry_after_s)
        fate = self.behavior.fate(key, operation.attempts)
        if fate == "fails":
            raise Rejected(503, "carrier_unavailable")
        if is_asynchronous:
            operation.accepted = True
            self._run(self._finish(operation, settings, callback, ending))
        else:
            self._execute(operation, settings)
            operation.accepted = True
            if self.behavior.reports_twice(key):
                self._report(operation, callback)
        return fate == "is_silent"

    def _execute(self, operation: Operation, settings: dict[str, Any]) -> None:
        try:
            self.numbers.execute(operation, settings)
        except UnknownNumber:
            raise Rejected(404, "number_unknown") from None

    async def _finish(
        self, operation: Operation, settings: dict[str, Any], callback: Any, ending: Failed | None
    ) -> None:
        """Carry an asynchronous operation out after its delay, and report it."""
        await asyncio.sleep(self.behavior.delay_s)
        if ending is not None:
            operation.state, operation.code = "failed", ending.code
        else:
            try:
                self.numbers.execute(operation, settings)
            except UnknownNumber:
                operation.state, operation.code = "failed", "number_unknown"
        if not self.behavior.loses_webhook(operation.key):
            self._report(operation, callback)
            if self.behavior.reports_twice(operation.key):
                self._report(operation, callback)

    def _report(self, operation: Operation, callback: Any) -> None:
        if self._deliveries is not None and isinstance(callback, str) and callback:
            content = {"type": f"operation.{operation.state}", "data": operation.shown()}
            self._deliveries.send(callback, f"msg-{operation.id}", content)

    def _run(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _number(text: str) -> str:
    if not _NUMBER.fullmatch(text):
        raise Rejected(400, "bad_number")
    return text


def _action(request: Request, body: dict[str, Any]) -> CarrierAction:
    """Return what a request asks for."""
    if request.method == "PUT":
        return "activate"
    if request.method == "DELETE":
        return "release"
    if request.method == "POST":
        action = _ROUTES.get(request.path_params["verb"])
        if action is None:
            raise Rejected(404, "not_found")
        return action
    found = [_SETTINGS[name] for name in body if name in _SETTINGS]
    if len(found) != 1:
        raise Rejected(400, "bad_request")
    return found[0]


async def _json(request: Request) -> dict[str, Any]:
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > MAX_BODY_BYTES:
            raise Rejected(413, "body_too_large")
    try:
        body = json.loads(content or b"{}")
    except (ValueError, RecursionError):
        raise Rejected(400, "bad_request") from None
    if not isinstance(body, dict):
        raise Rejected(400, "bad_request")
    return body


def _answer(operation: Operation, *, is_replay: bool) -> Response:
    status = 202 if operation.state == "pending" else 200
    headers = {"Idempotent-Replayed": "true"} if is_replay else {}
    return JSONResponse(operation.shown(), status, headers)


async def _until_the_client_is_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
