"""The page of the catalogue says what its files say."""

from pathlib import Path

from didflow_verification.catalogue.reading import packaged, read_rules
from didflow_verification.catalogue.table import as_markdown

JUDGED = {"business_only", "individual_only", "no_po_box", "resident_only", "minimum_age"}
PAGE = Path(__file__).parents[4] / "docs" / "verification" / "catalogue.md"


def test_the_page_is_what_the_files_say() -> None:
    """Written anew by `didflow-verification catalogue table > docs/verification/catalogue.md`."""
    assert PAGE.read_text(encoding="utf-8") == as_markdown(packaged())


def test_every_row_is_on_the_page_with_its_sources() -> None:
    """Country, types, since when, and each place where it was read."""
    page = PAGE.read_text(encoding="utf-8")
    for rules in packaged():
        for row in rules.requirements:
            assert f"| `{rules.country}` | `{row.key}` | {row.version} | {row.number_type} |" in page
            assert all(source.url is None or f"]({source.url})" in page for source in row.sources)


def test_the_row_that_explains_how_to_write_one_is_a_row() -> None:
    """The example of the guide is read as it stands."""
    guide = (PAGE.parent / "rules.md").read_text(encoding="utf-8")
    example = guide.split("```yaml\n", 1)[1].split("```", 1)[0]
    rules = read_rules(f"country: XX\nplaces: {{}}\nrequirements:\n{example}")
    assert [row.version for row in rules.requirements] == [2]
    assert {r.code for r in rules.requirements[0].restrictions} <= JUDGED
    for code in JUDGED:
        assert f"`{code}`" in guide
