"""Hosts, URLs and mail addresses that accounts name as targets: their form, and whether they are obviously internal.

Only what can be seen from the text is refused here. A name can also resolve to an internal address: whoever connects
checks the address that it connects to.
"""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final
from urllib.parse import urlsplit

HOST_INVALID: Final = "host_invalid"
URL_INVALID: Final = "url_invalid"
EMAIL_INVALID: Final = "email_invalid"
INTERNAL: Final = "internal_address"

_LABEL: Final = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
_NUMERIC: Final = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
_LOCAL_PART: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_URL: Final = re.compile(r"[!-~]+")
_INTERNAL_NAMES: Final = frozenset(("localhost", "local", "internal", "localdomain", "lan", "home", "corp"))
_LONGEST_NAME: Final = 253
_LONGEST_LOCAL_PART: Final = 64
_SCHEMES: Final = frozenset(("http", "https"))


def problem_of_host(host: str) -> str | None:
    """Return the code of what is wrong with a host name or an IP address, or None.

    A name whose last label is a number is an IPv4 address, as browsers and resolvers read it. Only its usual form is
    allowed, so that no other form of an internal address passes.
    """
    address = _address(host)
    if address is not None:
        return None if _is_public(address) else INTERNAL
    labels = host.removesuffix(".").split(".")
    if len(host) > _LONGEST_NAME or not all(map(_LABEL.fullmatch, labels)) or _NUMERIC.fullmatch(labels[-1]):
        return HOST_INVALID
    return INTERNAL if len(labels) == 1 or labels[-1].lower() in _INTERNAL_NAMES else None


def problem_of_url(url: str) -> str | None:
    """Return the code of what is wrong with a callback URL, or None: http or https, without user and fragment."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return URL_INVALID
    is_plain = _URL.fullmatch(url) and "\\" not in url and "@" not in parts.netloc and "#" not in url
    if not is_plain or parts.scheme not in _SCHEMES or not host or port == 0:
        return URL_INVALID
    return problem_of_host(host)


def problem_of_email(address: str) -> str | None:
    """Return the code of what is wrong with a mail address, or None."""
    local_part, _, host = address.rpartition("@")
    if len(local_part) > _LONGEST_LOCAL_PART or not _LOCAL_PART.fullmatch(local_part) or _address(host):
        return EMAIL_INVALID
    return EMAIL_INVALID if problem_of_host(host) == HOST_INVALID else problem_of_host(host)


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    inner = None
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
    return address.is_global and not address.is_multicast and (inner is None or _is_public(inner))
