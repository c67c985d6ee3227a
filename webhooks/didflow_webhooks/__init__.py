"""HTTP requests to addresses that others name, and the signatures of webhooks.

In reading order: `addresses`, `connections`, `client`, `signatures`.
"""

from didflow_webhooks.addresses import PUBLIC_ONLY, Rules, url_problem
from didflow_webhooks.client import GuardedClient, Reply, RequestFailed
from didflow_webhooks.signatures import BadSignature, Signer, Verifier, new_secret

__all__ = [
    "PUBLIC_ONLY",
    "BadSignature",
    "GuardedClient",
    "Reply",
    "RequestFailed",
    "Rules",
    "Signer",
    "Verifier",
    "new_secret",
    "url_problem",
]
