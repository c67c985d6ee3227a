"""Which other states each message needs. Billing needs none: it decides every message on the term of its DID alone."""
