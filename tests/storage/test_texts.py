import pytest

from fer_web.errors import InvalidValueError
from fer_web.storage.texts import check_text


@pytest.mark.parametrize(
    "character", [*"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069", "\0", "\x1b", "\x85"]
)
def test_control_characters_are_refused_by_their_number(character):
    with pytest.raises(InvalidValueError, match=f"U\\+{ord(character):04X}"):
        check_text("name", f"Anna{character}gpj.exe", 100)


@pytest.mark.parametrize(
    "character",
    [
        *"\u00ad\u034f\u061c\u115f\u1160\u17b4\u180b\u180e\u200b\u200e\u200f\u2028\u2029\u2060\u2063\u206a\u206f",
        *"\u2800\u3164\ufeff\uffa0\ufff9\U0001d173\U000e0001\U000e0041\ud800",
    ],
)
@pytest.mark.parametrize("form", ["An{}na", "{}Anna", "Anna {} B"])
def test_characters_that_nobody_sees_are_refused_wherever_they_stand(character, form):
    with pytest.raises(InvalidValueError, match=f"U\\+{ord(character):04X}"):
        check_text("name", form.format(f"a{character}"), 100)


@pytest.mark.parametrize(
    "text", ["\u200dAnna", "Anna\u200d", "An\u200d\u200dna", "An\u200c na", "\ufe0fA", "A\ufe0f\ufe0f"]
)
def test_joiners_and_selectors_are_refused_where_they_join_and_choose_nothing(text):
    with pytest.raises(InvalidValueError, match="control character"):
        check_text("name", text, 100)


@pytest.mark.parametrize(
    "text",
    [
        "Anna",
        "שלום (1)",
        "émoi 👩\u200d🔬",
        "❤\ufe0f\u200d🔥",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "क्\u200dष",
        "葛\U000e0100城",
        "a\u3000b",
        "e\u0301",
    ],
)
def test_languages_and_emoji_are_allowed(text):
    assert check_text("name", text, 100) == text


def test_notes_may_have_lines_and_marks_of_direction():
    text = "שלום\u200f (1)\n\tb\u200ea"
    assert check_text("notes", text, 100, may_break_lines=True) == text
    with pytest.raises(InvalidValueError, match=r"U\+202E"):
        check_text("notes", "a\u202eb", 100, may_break_lines=True)
