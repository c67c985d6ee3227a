"""HTTP requests to addresses that others name, and the signatures of webhooks.

In reading order: `addresses`, `hosts`, `urls`, `connections`, `client`, `signatures`.
"""

from didflow_webhooks.addresses import PUBLIC_ONLY, Rules
from didflow_webhooks.client import GuardedClient, Reply, RequestFailed
from didflow_webhooks.hosts import Rejected, host_problem
from didflow_webhooks.signatures import BadSignature, Signer, Verifier, is_secret, new_secret
from didflow_webhooks.urls import url_problem

__all__ = [
    "PUBLIC_ONLY",
    "BadSignature",
    "GuardedClient",
    "Rejected",
    "Reply",
    "RequestFailed",
    "Rules",
    "Signer",
    "Verifier",
    "host_problem",
    "is_secret",
    "new_secret",
    "url_problem",
]
