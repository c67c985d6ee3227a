"""Why the content of a document cannot be read or written."""

from didflow_chassis.encryption import KeyMissing, Unreadable

__all__ = ["ContentGone", "ContentUnreadable", "DecryptionError", "KeyMissing", "StoreMissing"]

ContentUnreadable = Unreadable
"""The content exists, but this process cannot read or write it. `code` says why."""


class StoreMissing(ContentUnreadable):
    """A document is in a store that is not configured."""

    code = "store_missing"


class DecryptionError(ContentUnreadable):
    """It cannot be decrypted: wrong key, altered bytes, or a ciphertext that belongs to something else."""

    code = "document_unopenable"


class ContentGone(Exception):
    """The content no longer exists: the document was erased, or its content was replaced."""
