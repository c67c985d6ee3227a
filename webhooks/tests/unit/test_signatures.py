"""Signatures of webhooks. The vector is that of the Standard Webhooks project."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import webhooks as library

from didflow_webhooks import BadSignature, Signer, Verifier, new_secret

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
WEBHOOK_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
AT = datetime.fromtimestamp(1614265330, UTC)
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def at(monkeypatch: pytest.MonkeyPatch, instant: datetime) -> None:
    """Let the library believe that it is this instant."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return instant.astimezone(tz)

    monkeypatch.setattr(library, "datetime", Clock)


def test_the_vector_of_the_standard_is_signed_as_written() -> None:
    """Id, timestamp and signature are those of the standard's example."""
    assert Signer([SECRET]).headers(WEBHOOK_ID, BODY, AT) == {
        "webhook-id": WEBHOOK_ID,
        "webhook-timestamp": "1614265330",
        "webhook-signature": SIGNATURE,
    }


def test_the_vector_of_the_standard_is_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    """The id is returned. Names of headers may have any case."""
    at(monkeypatch, AT)
    given = {"Webhook-Id": WEBHOOK_ID, "WEBHOOK-TIMESTAMP": "1614265330", "webhook-signature": SIGNATURE}
    assert Verifier([SECRET]).verify(given, BODY) == WEBHOOK_ID


def test_an_own_computation_accepts_our_signature() -> None:
    """HMAC-SHA256 of id.timestamp.body, with the decoded secret."""
    secret = new_secret()
    headers = Signer([secret]).headers("m-1", BODY)
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"m-1.{headers['webhook-timestamp']}.".encode() + BODY
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"


def test_the_old_and_the_new_secret_are_both_accepted_during_a_rotation() -> None:
    """Either side can change first."""
    old, new = new_secret(), new_secret()
    both = Signer([new, old]).headers("m-1", BODY)
    assert Verifier([old]).verify(both, BODY) == "m-1"
    assert Verifier([new]).verify(both, BODY) == "m-1"
    for signer in (old, new):
        assert Verifier([new, old]).verify(Signer([signer]).headers("m-1", BODY), BODY) == "m-1"
    with pytest.raises(BadSignature):
        Verifier([new]).verify(Signer([old]).headers("m-1", BODY), BODY)


@pytest.mark.parametrize(
    ("away", "is_accepted"), [(-301, False), (-300, True), (0, True), (300, True), (301, False)]
)
def test_a_timestamp_may_be_five_minutes_away(
    monkeypatch: pytest.MonkeyPatch, away: int, is_accepted: bool
) -> None:
    """300 seconds before and after are accepted, 301 are not."""
    at(monkeypatch, AT)
    headers = Signer([SECRET]).headers("m-1", BODY, AT + timedelta(seconds=away))
    if is_accepted:
        assert Verifier([SECRET]).verify(headers, BODY) == "m-1"
    else:
        with pytest.raises(BadSignature):
            Verifier([SECRET]).verify(headers, BODY)


@pytest.mark.parametrize(
    "changes",
    [
        {"webhook-id": "m-2"},
        {"webhook-id": ""},
        {"webhook-timestamp": "1614265331"},
        {"webhook-timestamp": "nan"},
        {"webhook-timestamp": "9" * 400},
        {"webhook-timestamp": ""},
        {"webhook-signature": ""},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,%%%"},
        {"webhook-signature": "v1,é"},
        {"webhook-signature": "v1a,AAAA"},
        {"webhook-signature": "v1,AAAA v1,BBBB"},
    ],
)
def test_a_forged_header_is_refused(monkeypatch: pytest.MonkeyPatch, changes: dict[str, str]) -> None:
    """Whatever it contains, the error is the same."""
    at(monkeypatch, AT)
    headers = Signer([SECRET]).headers("m-1", BODY, AT) | changes
    with pytest.raises(BadSignature):
        Verifier([SECRET]).verify(headers, BODY)


@pytest.mark.parametrize("body", [BODY + b" ", b"", b"\xff"])
def test_another_body_is_refused(body: bytes) -> None:
    """A body that is no text is refused too."""
    with pytest.raises(BadSignature):
        Verifier([SECRET]).verify(Signer([SECRET]).headers("m-1", BODY), body)


def test_headers_that_are_missing_are_refused() -> None:
    """Nothing is accepted without a signature."""
    with pytest.raises(BadSignature):
        Verifier([SECRET]).verify({}, BODY)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_AAAA", "whsec_" + "A" * 88, "whsec_é"])
def test_a_secret_of_another_length_is_refused(secret: str) -> None:
    """The message does not contain it."""
    with pytest.raises(ValueError, match="secret") as raised:
        Signer([secret])
    assert len(secret) < 7 or secret not in str(raised.value)


def test_at_least_one_secret_is_needed() -> None:
    """Without one, nothing could be verified."""
    with pytest.raises(ValueError, match="at least one"):
        Verifier([])
