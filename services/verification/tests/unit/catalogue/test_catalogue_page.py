"""The page of the catalogue agrees with its files."""

from pathlib import Path

from didflow_verification.catalogue.files import packaged, read_rules
from didflow_verification.catalogue.page import as_markdown

CHECKED = {"business_only", "individual_only", "no_po_box", "resident_only", "minimum_age"}
PAGE = Path(__file__).parents[5] / "docs" / "verification" / "catalogue.md"


def test_the_page_is_up_to_date() -> None:
    """To update it: `didflow-verification catalogue table > docs/verification/catalogue.md`."""
    assert PAGE.read_text(encoding="utf-8") == as_markdown(packaged())


def test_every_row_is_on_the_page_with_its_sources() -> None:
    """With its country and number type, and the address of every source."""
    page = PAGE.read_text(encoding="utf-8")
    for rules in packaged():
        for row in rules.requirements:
            assert f"| `{rules.country}` | `{row.key}` | {row.version} | {row.number_type} |" in page
            assert all(source.url is None or f"]({source.url})" in page for source in row.sources)


def test_the_example_row_of_the_guide_is_valid() -> None:
    """It is read as it is written, and the guide lists every restriction that the service checks."""
    guide = (PAGE.parent / "rules.md").read_text(encoding="utf-8")
    example = guide.split("```yaml\n", 1)[1].split("```", 1)[0]
    rules = read_rules(f"country: XX\nplaces: {{}}\nrequirements:\n{example}")
    assert [row.version for row in rules.requirements] == [2]
    assert {r.code for r in rules.requirements[0].restrictions} <= CHECKED
    for code in CHECKED:
        assert f"`{code}`" in guide
