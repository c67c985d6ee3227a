"""Which texts of a message are masked."""

from didflow_chassis.kept_messages import KeptMessage
from didflow_verification.erasure.personal_values import PersonalValues, masked_message

NUMBER = "+35319609036"
VALUES = PersonalValues.of(
    [("contact_phone", NUMBER), ("last_name", "Quillfeather"), ("first_name", "Seraphina")]
)


def message(**fields: object) -> KeptMessage:
    """Return a parked message."""
    given = {"table": "parked", "position": "1", "row": (1,), "value": b"{}", **fields}
    return KeptMessage(**given)  # type: ignore[arg-type]


def test_every_part_of_a_message_is_masked() -> None:
    """Its key, its value, its headers and the text about it. Nothing else changes."""
    found = masked_message(
        message(
            key=b"quillfeather",
            value=b'{"name": "Seraphina Quillfeather"}',
            headers=(("x", b"QUILLFEATHER"), ("y", b"z"), ("empty", None)),
            text="no such Quillfeather",
        ),
        VALUES,
    )
    assert found == message(
        key=b"*" * 12,
        value=b'{"name": "********* ************"}',
        headers=(("x", b"*" * 12), ("y", b"z"), ("empty", None)),
        text="no such ************",
    )


def test_a_message_without_a_value_of_the_person_is_not_masked() -> None:
    """A first name alone identifies nobody."""
    assert masked_message(message(value=b'{"name": "Seraphina"}'), VALUES) is None
    assert masked_message(message(value=None), VALUES) is None


def test_the_number_that_a_message_is_about_stays() -> None:
    """It is also the contact number of the person. Without it the message could not be decided any more."""
    event = b'{"number": "+35319609036"}'
    assert masked_message(message(key=NUMBER.encode(), value=event), VALUES) is None
    named = b'{"number": "+35319609036", "name": "Quillfeather"}'
    found = masked_message(message(key=NUMBER.encode(), value=named), VALUES)
    assert found == message(key=NUMBER.encode(), value=b'{"number": "+35319609036", "name": "************"}')
    assert masked_message(message(key=b"another", value=event), VALUES) is not None
    assert masked_message(message(key=b"+353871234567", value=event), VALUES) is not None
