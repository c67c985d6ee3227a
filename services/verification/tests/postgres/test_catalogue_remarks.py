"""What customers are shown of the catalogue: requirements and checks, but not the remarks of those who keep it."""

import json
import re
from typing import Any

from didflow_verification.catalogue.files import packaged

REMARKS = re.compile(
    r"general knowledge|\bseen\b|not shown|no source|\bsources?\b|assum|catalogue|cut off|precaution|unknown|null"
    r"|Twilio|Amazon|Telnyx|one provider|some providers|one reseller|newer page|older one",
    re.IGNORECASE,
)
KINDS = ("business", "individual")


def texts_of(value: Any) -> list[str]:
    """Return all texts of an answer, and the names of its fields."""
    if isinstance(value, dict):
        return [text for name, each in value.items() for text in (name, *texts_of(each))]
    if isinstance(value, list):
        return [text for each in value for text in texts_of(each)]
    return [value] if isinstance(value, str) else []


async def test_customers_read_the_internal_remarks_of_the_catalogue(ann: Any) -> None:
    """Every row, and every check of it: no doubt, assumption or comparison of carriers, and no field for them."""
    rows = (await ann.get("/v1/requirements", params={"limit": 1_000})).json()["items"]
    assert {row["key"] for row in rows} == {r.key for rules in packaged() for r in rules.requirements}
    shown = [*rows]
    for row in rows:
        for source in row.pop("sources"):
            assert list(source) == ["title", "publisher", "url"]
            assert source["url"].startswith("http")
        assert {"note", "seen"}.isdisjoint(texts_of(row))
        number_type = "local" if row["number_type"] == "any" else row["number_type"]
        asked = {"country": row["country"].replace("*", "FJ"), "number_type": number_type}
        for kind in KINDS:
            body = asked | {"end_user_type": kind}
            shown.append((await ann.post("/v1/requirements/evaluate", json=body)).json()["results"])
    assert [text for text in texts_of(shown) if REMARKS.search(text)] == []


async def test_the_remarks_of_the_catalogue_are_lost() -> None:
    """Operators still have them in the files: what each source said, and the notes on fields and restrictions."""
    rows = [row for rules in packaged() for row in rules.requirements]
    notes = [each.note for row in rows for each in (*row.identity_fields, *row.restrictions) if each.note]
    assert len(notes) > 30
    assert all(source.seen for row in rows for source in row.sources)
    assert json.dumps(notes).count("No source says that a carrier requires it.") > 20
