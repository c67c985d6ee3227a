"""The stage: takes every record, HTTP command and due timer of a service through one transaction."""

from didflow_chassis.stage.idempotency import Answer, CommandDecision, IdempotencyConflict, IdempotencyKey
from didflow_chassis.stage.stage import Stage

__all__ = ["Answer", "CommandDecision", "IdempotencyConflict", "IdempotencyKey", "Stage"]
