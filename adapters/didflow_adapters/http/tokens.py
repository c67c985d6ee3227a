"""Tokens in callback URLs. A token names the attempt that a webhook answers, so any process can publish its result.

A token is encrypted and authenticated (Fernet, of the library `cryptography`). The carrier cannot read the account in
it, and without a key nobody can make one. It does not expire, because a late success counts.
"""

from collections.abc import Sequence
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import ValidationError

from didflow_adapters.kit import CommandReference

MAX_TOKEN: Final = 4_096


class UnknownToken(Exception):
    """The token was not made with one of the keys."""


class Tokens:
    """Makes and reads tokens. The first key makes new ones. Raises ValueError if a key is not one of Fernet."""

    def __init__(self, keys: Sequence[str]) -> None:
        try:
            self._keys = MultiFernet([Fernet(key) for key in keys])
        except ValueError:
            raise ValueError("A key of the tokens is not 32 bytes in URL-safe base64.") from None

    def make(self, reference: CommandReference) -> str:
        """Return the token of an attempt."""
        return self._keys.encrypt(reference.model_dump_json(exclude_none=True).encode()).decode()

    def read(self, token: str) -> CommandReference:
        """Return the attempt of a token. Raises UnknownToken."""
        if len(token) > MAX_TOKEN:
            raise UnknownToken
        try:
            return CommandReference.model_validate_json(self._keys.decrypt(token.encode()))
        except (InvalidToken, ValidationError, UnicodeEncodeError):
            raise UnknownToken from None
