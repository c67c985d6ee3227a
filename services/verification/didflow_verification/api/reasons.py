"""Coded reasons, as reviewers give them."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from didflow_contracts.events.registration import Reason
from didflow_verification.api.listing import Strict
from didflow_verification.domain.evaluation.findings import BY_PEOPLE, MESSAGES, REJECTION_CODES


def _reviewers_code(code: str) -> str:
    if code not in REJECTION_CODES:
        raise ValueError(f"not one of {', '.join(sorted(REJECTION_CODES))}")
    return code


class ReasonBody(Strict):
    """One reason of a rejection; `other` needs a text."""

    code: Annotated[str, AfterValidator(_reviewers_code)]
    field: Annotated[str, Field(max_length=200)] | None = None
    message: Annotated[str, Field(max_length=1000)] = ""

    @model_validator(mode="after")
    def _other_is_explained(self) -> Self:
        if self.code == "other" and not self.message.strip():
            raise ValueError("the reason `other` needs a message")
        return self

    def reason(self) -> Reason:
        """Return the reason with the code's own words where none were given."""
        words = {**MESSAGES, **BY_PEOPLE}[self.code]
        return Reason(code=self.code, field=self.field, message=self.message or words)
