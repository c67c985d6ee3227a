"""What a cross-check without one of its sides does to the outcome of a submission."""

from typing import Any

import pytest

from didflow_contracts.ids import derived_id
from didflow_verification.domain.details.document import Document
from didflow_verification.domain.requirements import CountryRules, CrossCheck, DocumentGroup


@pytest.mark.parametrize(
    ("stated", "outcome"), [("acme Ltd", "approved"), (None, "pending"), ("Globex", "rejected")]
)
def test_a_document_that_states_nothing_is_approved_without_a_person(
    ready: Any, build: Any, make: Any, acme: Any, quay: Any, *, stated: str | None, outcome: str
) -> None:
    """A row without review approves only if all checks passed. What cannot be compared is for a person."""
    asked = make.requirement(
        key="ie.local.any",
        documents=(DocumentGroup(group="proof_of_business", accepts=("tax_certificate",)),),
        cross_checks=(
            CrossCheck(left="documents.proof_of_business.company_name", equals="identity.company_name"),
        ),
    )
    document = Document(
        document_id=derived_id("certificate"),
        identity_id=acme.identity_id,
        account=acme.account,
        kind="tax_certificate",
        media_type="application/pdf",
        size=1,
        content_id=None,
        issued_on=None,
        expires_on=None,
        states=(("company_name", stated),) if stated else (),
        created_at=build.zero,
        created_by="user:ann",
    )
    ready.store(CountryRules(country="IE", places={}, requirements=(asked,)), document)
    ready.process(build.assigned(acme, quay, document_ids=[document.document_id]))
    assert ready.registration.state == outcome
