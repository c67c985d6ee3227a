"""Which hosts others may name: the form of a host, and whether it is internal as far as its text shows. Pure.

A name can also resolve to an internal address. That is judged when a connection is opened, by the same `Rules`.
"""

import re
from ipaddress import IPv4Address, ip_address
from typing import Final, NamedTuple

from didflow_webhooks.addresses import PUBLIC_ONLY, Address, Rules

HOST_INVALID: Final = "host_invalid"
INTERNAL: Final = "internal_address"

MAX_NAME: Final = 253
"""Characters of a host name. Source: RFC 1035, 2.3.4."""

_LABEL: Final = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
"""A label of a host name. Source: RFC 1123, 2.1."""

_NUMERIC: Final = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
"""The last label of a name that resolvers read as an IPv4 address. Source: WHATWG URL, ends-in-a-number checker."""

_INTERNAL_ENDINGS: Final = frozenset(
    ("local", "internal", "intranet", "private", "localdomain", "lan", "home", "corp", "svc")
)
"""Endings of names that only private networks resolve. Source: RFC 6762, appendix G, and the names in a cluster."""

_LOOPBACK: Final = IPv4Address("127.0.0.1")


class Rejected(NamedTuple):
    """Why a host or a URL is refused: a stable code, and a sentence that repeats nothing of it."""

    code: str
    message: str


_NO_HOST: Final = Rejected(
    HOST_INVALID, "Write a host name such as host.example.com, or an IP address in its usual form."
)
_INTERNAL: Final = Rejected(INTERNAL, "Write a public host. This one is internal.")


def host_problem(host: str, rules: Rules = PUBLIC_ONLY) -> Rejected | None:
    """Return why a host name or an IP address is refused, or None.

    An IP address has its usual form, IPv6 without brackets and zone. Every other text whose last label is a number
    would be read as an IPv4 address by some resolver, and is refused. Names are not resolved. If the rules allow
    further networks, a name may belong to one of them, whatever its ending is.
    """
    address = address_of(host)
    if address is not None:
        return None if rules.allow(address) else _INTERNAL
    labels = host.removesuffix(".").split(".")
    if len(host) > MAX_NAME or not all(map(_LABEL.fullmatch, labels)) or _NUMERIC.fullmatch(labels[-1]):
        return _NO_HOST
    return _INTERNAL if _is_internal(labels, rules) else None


def address_of(host: str) -> Address | None:
    """Return the IP address that a host is, or None for a name."""
    try:
        return None if "%" in host else ip_address(host)
    except ValueError:
        return None


def _is_internal(labels: list[str], rules: Rules) -> bool:
    ending = labels[-1].lower()
    if ending == "localhost":
        return not rules.allow(_LOOPBACK)
    return not rules.allowed and (
        len(labels) == 1
        or ending in _INTERNAL_ENDINGS
        or [each.lower() for each in labels[-2:]] == ["home", "arpa"]
    )
