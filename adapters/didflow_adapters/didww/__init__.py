"""The adapter of the carrier DIDWW, on its published SDK (`didww` on PyPI, which uses API version 2026-04-16).

Install it with `didflow-adapters[didww]` and start it with `didflow-didww`. In reading order: `carrier`, `trunks`,
`api`, `process`.

The API has no idempotency keys. Every command therefore reads the DID first, and writes only what differs from what is
wanted. A command that is executed again, also after a restart, finds nothing to write.

Source: https://doc.didww.com/api3/2026-04-16/: DIDs, Inbound Trunks, Inbound Trunk Groups, Error Objects, Rate limits.
"""
