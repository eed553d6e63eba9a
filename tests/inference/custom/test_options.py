import numpy as np
import pytest

from fer_web.errors import SettingsError
from fer_web.inference.custom.options import COLOURS, SCALINGS, ModelOptions, parse_labels, scale_pixels
from fer_web.inference.models import options_of
from fer_web.labels import EMOTIONS
from fer_web.settings import Settings, settings_from


def test_parse_labels_takes_our_names_and_others_in_any_case():
    assert parse_labels("") == ()
    assert parse_labels(",".join(EMOTIONS)) == EMOTIONS
    assert parse_labels("Anger, Disgusted,SCARED,joy,neutral,Sadness,surprised") == (
        "angry",
        "disgust",
        "fear",
        "happy",
        "neutral",
        "sad",
        "surprise",
    )
    assert len(parse_labels("neutral,happy,sad,surprise,fear,disgust,angry,contempt")) == 8


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("angry,disgust", "'fear' is missing"),
        ("angry,anger,fear,happy,sad,surprise,neutral", "'angry' stands twice"),
        ("angry,disgust,fear,happy,sad,surprise,bored", "'bored' is no expression; allowed: angry"),
        ("angry,disgust,fear,happy,sad,surprise,", "'' is no expression"),
    ],
)
def test_parse_labels_says_what_is_wrong(text, words):
    with pytest.raises(SettingsError, match=words):
        parse_labels(text)


@pytest.mark.parametrize(("scaling", "limits"), SCALINGS.items())
def test_scale_pixels_goes_from_black_to_white(scaling, limits):
    scaled = scale_pixels(np.array([0, 255], np.uint8), scaling)
    assert scaled.dtype == np.float32
    assert scaled.tolist() == pytest.approx(limits)


@pytest.mark.parametrize("arguments", [["--scaling", "-1..1"], ["--scaling=-1..1"]])
def test_settings_take_a_scaling_that_begins_like_an_option(arguments):
    assert settings_from(arguments, {}).scaling == "-1..1"


def test_settings_become_options():
    settings = settings_from(
        ["--labels", ",".join(sorted(EMOTIONS)), "--scaling", "0..255", "--colour", "bgr", "--trust"], {}
    )
    assert options_of(settings) == ModelOptions(tuple(sorted(EMOTIONS)), "0..255", "bgr", True)
    assert options_of(Settings()) == ModelOptions()


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("scaling", ["auto", *SCALINGS])
def test_settings_and_options_allow_the_same(scaling, colour):
    assert options_of(Settings(scaling=scaling, colour=colour)).colour == colour


def test_options_refuse_others():
    with pytest.raises(SettingsError, match=r"0\.\.256"):
        ModelOptions(scaling="0..256")
    with pytest.raises(SettingsError, match="sepia"):
        ModelOptions(colour="sepia")
