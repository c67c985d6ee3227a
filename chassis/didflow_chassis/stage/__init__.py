"""The one way through a service: decode, lock, dedupe, load, decide, save, outbox, commit."""

from didflow_chassis.stage.once import Answer, IdempotencyConflict, Once, Result
from didflow_chassis.stage.stage import Stage

__all__ = ["Answer", "IdempotencyConflict", "Once", "Result", "Stage"]
