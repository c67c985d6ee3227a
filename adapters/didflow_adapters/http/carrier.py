"""The carrier that a configuration describes."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

from didflow_adapters.http.attempts import OpenAttempts
from didflow_adapters.http.configuration import Call, Configuration, Fixed, Poll, ReplyRule
from didflow_adapters.http.exchange import Exchange
from didflow_adapters.http.replies import CarrierReply, outcome_of, usual_outcome
from didflow_adapters.http.templates import (
    BadTemplate,
    Rendered,
    Values,
    body_template,
    text_template,
    url_template,
    values_of,
)
from didflow_adapters.http.tokens import Tokens
from didflow_adapters.kit import PRESENT, Failed, Later, Outcome, Succeeded
from didflow_adapters.kit.execution import RATE_LIMITED
from didflow_contracts.events import CarrierCommandIssued
from didflow_contracts.vocabulary import CarrierAction

_NOT_SUPPORTED = Failed(code="not_supported", message="The carrier has no such action.")


class _Request:
    """The compiled templates of one call."""

    def __init__(self, call: Call, headers: Mapping[str, str]) -> None:
        self.method = call.method
        self.replies = call.replies
        self._path = url_template(call.path)
        self._body = body_template(call.body)
        texts = {**headers, **call.headers}
        self._headers: dict[str, Rendered] = {name: text_template(text) for name, text in texts.items()}

    def fill_in(self, values: Values) -> tuple[str, dict[str, str], Any]:
        """Return path, headers and body. Raises BadTemplate."""
        headers = {name: render(values) for name, render in self._headers.items()}
        if any(not value.isprintable() or not value.isascii() for value in headers.values()):
            raise BadTemplate("A value is not usable in a header.")
        return self._path(values), headers, self._body(values)


class HttpCarrier:
    """Calls the API of a carrier as its configuration says. Raises MissingSecret and ValueError at the start."""

    def __init__(self, configuration: Configuration) -> None:
        self.name = configuration.carrier
        self._configuration = configuration
        self._exchange = Exchange(configuration)
        self._requests: dict[CarrierAction, _Request | Fixed] = {
            action: call if isinstance(call, Fixed) else _Request(call, configuration.headers)
            for action, call in configuration.actions.items()
        }
        poll = configuration.poll
        self._poll = _Request(Call(method="GET", path=poll.path), configuration.headers) if poll else None
        self.attempts = OpenAttempts()
        webhook = configuration.webhook
        self.tokens = Tokens([place.read().get_secret_value() for place in webhook.keys]) if webhook else None

    async def aclose(self) -> None:
        """Close all connections."""
        await self._exchange.aclose()

    async def _execute(self, command: CarrierCommandIssued, parameters: Any) -> Outcome:  # noqa: ARG002
        request = self._requests[command.action]
        if isinstance(request, Fixed):
            return Succeeded() if request.result == "succeeded" else _NOT_SUPPORTED
        reference = PRESENT.get()
        if reference is None or self.tokens is None:
            return await self._send(request, command)
        self.attempts.add(reference)
        outcome = await self._send(request, command)
        if not isinstance(outcome, Later):
            self.attempts.remove(reference)
        return outcome

    activate = suspend = resume = release = set_voice = set_capacity = set_sms = _execute

    async def _send(self, request: _Request, command: CarrierCommandIssued) -> Outcome:
        values = values_of(command, *self._callback())
        outcome, reply = await self._call(request, values, (*request.replies, *self._configuration.replies))
        poll = self._configuration.poll
        if isinstance(outcome, Later) and poll is not None and self._poll is not None and reply is not None:
            return await self._ask(self._poll, poll, values | {"reply": reply.json})
        return outcome

    def _callback(self) -> tuple[str, str]:
        """Return the URL and the token for this attempt. Both are empty without webhooks."""
        reference, webhook = PRESENT.get(), self._configuration.webhook
        if reference is None or webhook is None or self.tokens is None:
            return "", ""
        token = self.tokens.make(reference)
        return (webhook.public_url if webhook.token_at else f"{webhook.public_url}/{token}"), token

    async def _call(
        self, request: _Request, values: Values, rules: Sequence[ReplyRule]
    ) -> tuple[Outcome, CarrierReply | None]:
        try:
            path, headers, body = request.fill_in(values)
        except BadTemplate as error:
            return Failed(code="bad_configuration", message=str(error), retryable=True), None
        reply = await self._exchange.send(request.method, path, headers, body)
        if isinstance(reply, Failed):
            return reply, None
        return outcome_of(reply, rules) or usual_outcome(reply), reply

    async def _ask(self, request: _Request, poll: Poll, values: Values) -> Outcome:
        """Ask for the answer until it is there, for the time that the configuration gives.

        A carrier that asks to wait is not asked again: the command is sent again later, with the same idempotency key.
        """
        until = time.monotonic() + poll.for_s
        while time.monotonic() + poll.every_s < until:
            await asyncio.sleep(poll.every_s)
            outcome, reply = await self._call(request, values, poll.replies)
            if isinstance(outcome, Failed) and outcome.code == RATE_LIMITED:
                return outcome
            if (
                reply is not None
                and outcome_of(reply, poll.replies) is not None
                and not isinstance(outcome, Later)
            ):
                return outcome
        return Later()
