"""How large an upload may be, by path: read by every process, so it loads nothing."""

from typing import Final

from didflow_verification.domain.details.document import MAX_BYTES

FORM_BYTES: Final = 128 * 1024
"""What the fields and boundaries of an upload's form may take besides the file."""

LARGER_BODIES: Final = {"/v1/documents": MAX_BYTES + FORM_BYTES}
"""Paths whose bodies may have more bytes than others."""
