"""Internal errors: what a caller is told about a defect of ours, and how it is found in the log.

The caller gets the code `internal_error` and a short reference. The log line with the traceback has the same one.
"""

import logging
import secrets

from didflow_chassis.decision import Refused

CODE = "internal_error"
DETAIL = "Something went wrong on our side. Give the reference to your operator."
_LOG = logging.getLogger(__name__)


def log_internal_error(error: BaseException) -> str:
    """Log an error with its traceback and return the reference of the log line."""
    reference = secrets.token_hex(5)
    _LOG.error("Internal error", exc_info=error, extra={"reference": reference})
    return reference


def internal_error(error: BaseException) -> Refused:
    """Log an error and return the refusal of the one item that it concerns."""
    return Refused(CODE, DETAIL, reference=log_internal_error(error))
