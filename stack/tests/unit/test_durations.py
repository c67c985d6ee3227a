"""ISO 8601 durations, as `didflow clock advance` accepts them."""

import pytest

from didflow.durations import Duration, parse_duration
from didflow.errors import BadInput


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("P31D", Duration(days=31)),
        (" p2w ", Duration(days=14)),
        ("P1Y2M3DT4H5M6S", Duration(months=14, days=3, seconds=4 * 3600 + 5 * 60 + 6)),
        ("PT36H", Duration(seconds=36 * 3600)),
        ("P1M", Duration(months=1)),
        ("PT1M", Duration(seconds=60)),
    ],
)
def test_a_duration_keeps_months_days_and_seconds_apart(text: str, duration: Duration) -> None:
    """A month is not thirty days. M means months before the T and minutes after it."""
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P1DT", "31D", "P-1D", "-P1D", "P1.5D", "1 day", "P\u0661D", "P1D2W"]
)
def test_other_texts_are_refused(text: str) -> None:
    """Nothing is guessed. Negative durations are refused too."""
    with pytest.raises(BadInput):
        parse_duration(text)


@pytest.mark.parametrize("text", ["P0D", "PT0S", "P0Y0M"])
def test_a_zero_duration_is_refused(text: str) -> None:
    """A zero is most likely a mistake."""
    with pytest.raises(BadInput):
        parse_duration(text)
