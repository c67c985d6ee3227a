"""Signatures of webhooks by Standard Webhooks. The library `standardwebhooks` computes and compares them."""

import base64
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = range(24, 65)
"""The lengths that a secret may have. Source: Standard Webhooks."""


class BadSignature(Exception):
    """A webhook is not signed with a known secret, or its timestamp is more than five minutes away."""


def new_secret() -> str:
    """Return a new secret of 32 random bytes."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def is_secret(text: str) -> bool:
    """Return True if webhooks can be signed with this text."""
    try:
        _decoded(text)
    except ValueError:
        return False
    return True


class Signer:
    """Signs webhooks with one secret, or with the old and the new one during a rotation.

    Raises ValueError if a secret is not base64 or does not have 24 to 64 bytes.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._webhooks = _webhooks(keys)

    def headers(self, webhook_id: str, body: bytes, at: datetime | None = None) -> dict[str, str]:
        """Return the headers of a webhook that is sent `at` this instant, now by default."""
        instant = (at or datetime.now(UTC)).astimezone(UTC)
        text = body.decode()
        signatures = [webhook.sign(webhook_id, instant, text) for webhook in self._webhooks]
        return {
            "webhook-id": webhook_id,
            "webhook-timestamp": str(int(instant.timestamp())),
            "webhook-signature": " ".join(signatures),
        }


class Verifier:
    """Verifies webhooks that are signed with one of these secrets.

    Raises ValueError if a secret is not base64 or does not have 24 to 64 bytes.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._webhooks = _webhooks(keys)

    def verify(self, headers: Mapping[str, str], body: bytes) -> str:
        """Return the id of the webhook, by which repeats are recognized. Raises BadSignature.

        Names of headers may have any case.
        """
        given = {name.lower(): value for name, value in headers.items()}
        for webhook in self._webhooks:
            try:
                webhook.verify(body, given, json_parse=False)
            except (WebhookVerificationError, ValueError):
                continue
            return given["webhook-id"]
        raise BadSignature


def _webhooks(keys: Sequence[str]) -> tuple[Webhook, ...]:
    if not keys:
        raise ValueError("Give at least one secret.")
    return tuple(Webhook(_decoded(key)) for key in keys)


def _decoded(key: str) -> bytes:
    try:
        written = key.removeprefix(PREFIX).rstrip("=")
        decoded = base64.b64decode(written + "=" * (-len(written) % 4), validate=True)
    except ValueError:
        raise ValueError("A webhook secret is not base64.") from None
    if len(decoded) not in SECRET_BYTES:
        raise ValueError("A webhook secret must have 24 to 64 bytes.")
    return decoded
