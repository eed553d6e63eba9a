import pytest

from fer_web.errors import InvalidValueError
from fer_web.storage.texts import check_text


@pytest.mark.parametrize(
    "character", [*"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069", "\0", "\x1b", "\x85"]
)
def test_control_characters_are_refused_by_their_number(character):
    with pytest.raises(InvalidValueError, match=f"U\\+{ord(character):04X}"):
        check_text("name", f"Anna{character}gpj.exe", 100)


@pytest.mark.parametrize("text", ["Anna", "שלום\u200f (1)", "émoi 👩‍🔬", "a\u200eb"])
def test_languages_and_their_marks_are_allowed(text):
    assert check_text("name", text, 100) == text
