"""Why the content of a document cannot be read or written."""


class ContentUnreadable(Exception):
    """The content exists, but this process cannot read or write it. `code` says why."""

    code: str


class KeyMissing(ContentUnreadable):
    """A document is encrypted under a key that is not configured."""

    code = "key_missing"


class StoreMissing(ContentUnreadable):
    """A document is in a store that is not configured."""

    code = "store_missing"


class DecryptionError(ContentUnreadable):
    """A chunk cannot be decrypted: wrong key, wrong position, wrong document, or altered bytes."""

    code = "document_unopenable"


class ContentGone(Exception):
    """The content no longer exists: the document was erased, or its content was replaced."""
