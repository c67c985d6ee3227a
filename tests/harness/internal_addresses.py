"""Attacks by addresses: hosts that are internal, forms of hosts that only some programs read, and public hosts."""

from typing import Final

_INTERNAL_IPV4: Final = """
    127.0.0.1 127.8.8.8 0.0.0.0 0.1.2.3 10.1.2.3 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 100.100.100.200
    169.254.0.1 169.254.169.254 168.63.129.16 192.0.0.192 192.0.2.1 192.88.99.1 198.18.0.1 240.0.0.1 255.255.255.255
    224.0.0.1
"""
"""Loopback, this network, private, shared, link-local, metadata services, reserved, broadcast and multicast."""

_INTERNAL_IPV6: Final = "::1 :: fe80::1 fec0::1 fc00::1 fd00:ec2::254 ff02::1 2001:db8::1 100::1"
"""Loopback, unspecified, link-local, site-local, unique local, metadata, multicast, documentation and discard."""

_IPV4_INSIDE_IPV6: Final = """
    ::ffff:127.0.0.1 ::ffff:a9fe:a9fe ::ffff:8.8.8.8 ::127.0.0.1 ::7f00:1 2002:7f00:1:: 2002:a9fe:a9fe::1 2001::1
    64:ff9b::127.0.0.1 64:ff9b::a9fe:a9fe 64:ff9b:1::1
"""
"""Mapped, compatible, 6to4, Teredo, NAT64 with the well-known prefix and with a local one."""

_INTERNAL_NAMES: Final = """
    localhost LOCALHOST localhost. a.localhost db kafka. vault.internal printer.local x.lan nas.home.arpa
    metadata.google.internal billing.default.svc a.default.svc.cluster.local
"""
INTERNAL: Final = tuple(f"{_INTERNAL_IPV4} {_INTERNAL_IPV6} {_IPV4_INSIDE_IPV6} {_INTERNAL_NAMES}".split())
"""Hosts that are internal as far as their text shows."""

_NUMERIC: Final = """
    2130706433 0x7f000001 0x7f.1 0x7f.0.0.1 0177.0.0.1 017700000001 127.1 127.0.1 0 0x 127.0.0.1. 169.254.169.254.
    256.1.1.1 1.2.3.4.5 127.000.000.001 a.0x7f %31%32%37.0.0.1 fe80::1%eth0 2606:4700::1111%1 ::1% 1::2::3
"""
"""Decimal, hexadecimal, octal, short and escaped forms, a dot at the end, and IPv6 with a zone."""

_OTHER_CHARACTERS: Final = (
    "\uff11\uff12\uff17.0.0.1",  # digits of full width
    "127\u30020\u30020\u30021",  # ideographic full stops
    "\u2460\u2461\u2466.0.0.1",  # digits in circles
    "\u0661\u0662\u0667.0.0.1",  # Arabic digits
    "\u24dbocalhost",
    "loc\u00adalhost",  # a soft hyphen
    "b\u00fccher.example",
)
_NO_NAMES: Final = (
    *(
        "",
        ".",
        "a..b",
        "-a.example",
        "a-.example",
        "a_b.example",
        "a b.example",
        "a.example;x",
        "user@a.example",
    ),
    *("a.example\x00", "a.example\n", "a" * 64 + ".example", ".".join(["a" * 60] * 5)),
)
MALFORMED: Final = (*_NUMERIC.split(), *_OTHER_CHARACTERS, *_NO_NAMES)
"""What is no host in its usual form. Some program would connect to an internal address for many of these."""

PUBLIC: Final = (
    *("sms.example.com", "a-b.example.com.", "xn--bcher-kva.example", "127.0.0.1.nip.io", "1a.2b.example"),
    *("8.8.8.8", "172.32.0.1", "2606:4700:4700::1111", "64:ff9b::808:808"),
)
"""Hosts that have no problem as far as their text shows. A name may still have an internal address."""
