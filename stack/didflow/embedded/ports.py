"""Free TCP ports on loopback. A port that was free may be taken a moment later: whoever uses one tries again."""

import socket


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
