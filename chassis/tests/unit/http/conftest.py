"""The toy service of things, for the tests of the HTTP side."""

from things import issuer_keys, world

__all__ = ["issuer_keys", "world"]
