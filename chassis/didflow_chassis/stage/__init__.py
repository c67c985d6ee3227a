"""The stage: takes every record, command and due timer of a service through one transaction."""

from didflow_chassis.stage.call import Call, CommandDecision, HttpCall, LocalCall
from didflow_chassis.stage.idempotency import Answer, IdempotencyConflict, IdempotencyKey
from didflow_chassis.stage.stage import Stage

__all__ = [
    "Answer",
    "Call",
    "CommandDecision",
    "HttpCall",
    "IdempotencyConflict",
    "IdempotencyKey",
    "LocalCall",
    "Stage",
]
