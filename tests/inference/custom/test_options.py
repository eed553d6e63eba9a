import numpy as np
import pytest

from fer_web.errors import SettingsError
from fer_web.inference.custom.options import COLOURS, ModelOptions, missing_of, parse_labels
from fer_web.inference.custom.scaling import SCALINGS, parse_scaling, scale_pixels
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
    assert parse_labels("none,happy,None,sad") == ("none", "happy", "none", "sad")


def test_missing_of_names_what_no_output_stands_for():
    assert missing_of(EMOTIONS) == ()
    assert missing_of(("none", "happy", "contempt", "sad", "neutral")) == (
        "angry",
        "disgust",
        "fear",
        "surprise",
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("angry,disgust", "it names 2 outputs, 4 to 8 are allowed"),
        ("none,none,none,happy", "fewer than 2 of them are expressions"),
        ("none,contempt,none,happy", "fewer than 2 of them are expressions"),
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


@pytest.mark.parametrize(
    ("name", "colour", "expected"),
    [
        ("imagenet", "rgb", [(1 - 0.485) / 0.229, (1 - 0.456) / 0.224, (1 - 0.406) / 0.225]),
        ("imagenet", "bgr", [(1 - 0.406) / 0.225, (1 - 0.456) / 0.224, (1 - 0.485) / 0.229]),
        ("caffe", "bgr", [255 - 103.939, 255 - 116.779, 255 - 123.68]),
        ("0.5/0.25", "rgb", [2.0, 2.0, 2.0]),
        ("127.5/127.5", "grey", [1.0, 1.0, 1.0]),
        ("0.1,0.2,0.3/0.5,0.5,0.5", "bgr", [1.8, 1.6, 1.4]),
        ("91.5,103.9,131.1/1", "bgr", [163.5, 151.1, 123.9]),
    ],
)
def test_scale_pixels_takes_means_and_deviations_of_each_channel(name, colour, expected):
    scaled = scale_pixels(np.full((2, 4, 4, 3), 255, np.uint8), name, colour)
    np.testing.assert_allclose(scaled[1, 2, 3], expected, rtol=1e-5)


def test_one_channel_has_one_mean_and_each_picture_its_own():
    grey = np.random.default_rng(1).integers(0, 256, (3, 8, 8, 1), np.uint8)
    np.testing.assert_allclose(scale_pixels(grey, "imagenet"), (grey / 255 - 0.449) / 0.226, atol=1e-4)
    each = scale_pixels(grey, "picture")
    np.testing.assert_allclose(each.mean(axis=(1, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(each.std(axis=(1, 2, 3)), 1, atol=1e-4)
    assert np.isfinite(scale_pixels(np.full((1, 8, 8, 1), 9, np.uint8), "picture")).all()


@pytest.mark.parametrize("name", ["0.5", "0.5/0", "a/b", "1,2/3", "0.5/-1", "nan/1", "1e999/1"])
def test_scaling_refuses_what_is_no_mean_and_deviation(name):
    with pytest.raises(SettingsError, match="--scaling"):
        ModelOptions(scaling=name)


def test_numbers_for_three_channels_do_not_fit_one():
    with pytest.raises(SettingsError, match="the network takes 1"):
        parse_scaling("0.1,0.2,0.3/0.5", channels=1)


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
    with pytest.raises(SettingsError, match="wide"):
        ModelOptions(crop="wide")
