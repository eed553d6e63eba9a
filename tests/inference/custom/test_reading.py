"""What is read from a file, what is guessed, and what is said about it."""

from pathlib import Path

import keras
import numpy as np
import pytest

from fer_web.errors import ModelArtifactError, SettingsError
from fer_web.inference.custom.custom_classifier import CustomClassifier
from fer_web.inference.custom.custom_model import read_network
from fer_web.inference.custom.custom_network import (
    LOGITS,
    SIGMOID,
    SOFTMAX,
    Clue,
    Input,
    Network,
    checked_classes,
    input_of,
)
from fer_web.inference.custom.keras_layers import clue_of, output_of
from fer_web.inference.custom.options import ModelOptions
from fer_web.inference.scores import softmax
from fer_web.labels import EMOTIONS
from tests.support.fakes.models import model_info
from tests.support.fer_rows import KERAS_WARNINGS

pytestmark = KERAS_WARNINGS
PATH = Path("theirs.onnx")
layers = keras.layers


class Fixed:
    """Answers every picture with a row; keeps what it was given."""

    def __init__(self, row):
        self.row = np.asarray(row, np.float32)
        self.seen = []

    def predict(self, batch):
        self.seen.append(batch)
        return np.repeat(self.row[None], len(batch), axis=0)


def network(row=(0.1, 0.1, 0.1, 0.4, 0.1, 0.1, 0.1), predictor=None, **changes):
    predictor = predictor or Fixed(row)
    return Network(
        **{
            "path": PATH,
            "file_format": "ONNX",
            "input": Input((48, 48), 1),
            "classes": len(row),
            "new_predictor": lambda: predictor,
            **changes,
        }
    )


def warnings_of(reading, word):
    return [text for text in reading.warnings if word in text]


def test_nothing_said_guesses_and_names_the_options():
    reading = read_network(network(), ModelOptions())
    assert (reading.labels, reading.scaling, reading.output) == (EMOTIONS, "0..1", SOFTMAX)
    assert warnings_of(reading, "--labels angry,disgust,fear,happy,neutral,sad,surprise")
    assert warnings_of(reading, "--scaling 0..1")


def test_separable_convolutions_guess_minus_1_to_1():
    reading = read_network(network(is_xception=True), ModelOptions())
    assert reading.scaling == "-1..1"
    assert warnings_of(reading, "--scaling -1..1")


def test_what_the_file_says_is_no_guess():
    clue = Clue("0..255", "its Rescaling layer of 0.0039")
    reading = read_network(network(clue=clue), ModelOptions(labels=EMOTIONS))
    assert (reading.scaling, reading.scaling_source, reading.warnings) == ("0..255", clue.source, ())


def test_what_is_given_wins_and_a_contradiction_is_told():
    clue = Clue("0..255", "its Rescaling layer of 0.0039")
    reading = read_network(network(clue=clue), ModelOptions(labels=EMOTIONS, scaling="0..1"))
    assert reading.scaling == "0..1"
    assert warnings_of(reading, "speaks for --scaling 0..255")


def test_a_free_size_is_given_fer_2013s():
    free = input_of(PATH, (None, None, None, 1))
    assert free.size_hw == (48, 48)
    assert warnings_of(read_network(network(input=free), ModelOptions()), "48 x 48")


@pytest.mark.parametrize(
    ("row", "said", "expected"),
    [
        ((0.1, 0.1, 0.1, 0.4, 0.1, 0.1, 0.1), None, SOFTMAX),
        ((-1, 2, 0, 0, 0, 0, 0), None, LOGITS),
        ((0.9, 0.2, 0, 0, 0, 0, 0), None, LOGITS),
        ((0.9, 0.2, 0, 0, 0, 0, 0), SIGMOID, SIGMOID),
        ((3, -2, 0, 0, 0, 0, 0), SOFTMAX, LOGITS),
        ((3, -2, 0, 0, 0, 0, 0), SIGMOID, LOGITS),
        ((0.1, 0.1, 0.1, 0.4, 0.1, 0.1, 0.1), LOGITS, LOGITS),
    ],
)
def test_output_by_the_file_and_by_values(row, said, expected):
    assert read_network(network(row, output=said), ModelOptions()).output == expected


def classify(row, options=None, count=2, **changes):
    net = network(row, **changes)
    reading = read_network(net, options or ModelOptions())
    crops = np.full((count, 48, 48, 1), 255, np.uint8)
    return CustomClassifier(model_info(), net, reading).classify(crops).scores


def test_outputs_are_put_into_our_order():
    labels = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "angry")
    scores = classify((0.5, 0.2, 0.1, 0.08, 0.06, 0.04, 0.02), ModelOptions(labels=labels))
    assert scores[0].tolist() == pytest.approx([0.02, 0.04, 0.06, 0.2, 0.1, 0.08, 0.5])


@pytest.mark.parametrize("row", [np.log([0.2, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.2]), [0.2] + [0.1] * 6 + [0.2]])
def test_contempt_is_left_out_and_the_seven_sum_to_1(row):
    scores = classify(row, ModelOptions(labels=(*EMOTIONS, "contempt")))
    assert scores[0].tolist() == pytest.approx([0.25] + [0.125] * 6)


@pytest.mark.parametrize("is_logits", [True, False])
def test_outputs_without_a_name_are_left_out_and_missing_expressions_have_nothing(is_logits):
    row = np.array([0.3, 0.2, 0.1, 0.1, 0.3])
    labels = ("none", "happy", "sad", "neutral", "none")
    scores = classify(np.log(row) if is_logits else row, ModelOptions(labels=labels))
    assert scores[0].tolist() == pytest.approx([0, 0, 0, 0.5, 0.25, 0, 0.25])
    assert scores[0, :3].tolist() == [0, 0, 0]


def test_all_on_an_output_that_is_left_out_leaves_the_others_even():
    labels = ("none", "happy", "sad", "neutral", "fear")
    scores = classify([1.0, 0, 0, 0, 0], ModelOptions(labels=labels))
    assert scores[0].tolist() == pytest.approx([0, 0, 0.25, 0.25, 0.25, 0, 0.25])


def test_missing_expressions_are_told():
    reading = read_network(network([0.25] * 4), ModelOptions(labels=("angry", "happy", "sad", "neutral")))
    assert reading.missing == ("disgust", "fear", "surprise")
    assert warnings_of(reading, "no output for disgust, fear, surprise")


def test_contempt_has_its_own_share_beside_the_seven():
    net = network([0.1] * 4 + [0.2, 0.1, 0.1, 0.2])
    reading = read_network(net, ModelOptions(labels=(*EMOTIONS, "contempt")))
    crops = np.zeros((1, 48, 48, 1), np.uint8)
    assert CustomClassifier(model_info(), net, reading).classify(crops).contempt == pytest.approx([0.2])
    seven = read_network(network(), ModelOptions())
    assert CustomClassifier(model_info(), network(), seven).classify(crops).contempt is None


def test_a_temperature_makes_the_confidence_lower():
    row = np.array([4.0, 0, 0, 0, 0, 0, 0])
    hot = classify(row, ModelOptions(temperature=2.0))
    assert hot[0].tolist() == pytest.approx(softmax(row[None] / 2)[0].tolist(), abs=1e-6)


def test_an_order_of_other_counts_is_guessed_where_it_may_be():
    reading = read_network(network([0.125] * 8), ModelOptions(may_guess=True))
    assert reading.labels[:3] == ("neutral", "happy", "surprise")
    assert warnings_of(reading, "guessed: --labels neutral,happy")


def test_sigmoid_shares_are_brought_to_1_and_none_at_all_is_even():
    assert classify([0.8, 0.4] + [0] * 5, output=SIGMOID)[0, :2].tolist() == pytest.approx([2 / 3, 1 / 3])
    assert classify([0] * 7, output=SIGMOID)[0].tolist() == pytest.approx([1 / 7] * 7)


@pytest.mark.parametrize(("scaling", "white"), [("0..1", 1), ("-1..1", 1), ("0..255", 255)])
def test_pixels_are_scaled_as_said(scaling, white):
    predictor = Fixed([0] * 7)
    classify([0] * 7, ModelOptions(scaling=scaling), predictor=predictor)
    assert predictor.seen[-1].max() == white
    assert predictor.seen[0].min() >= (-1 if scaling == "-1..1" else 0)


def test_a_network_of_one_picture_at_a_time_gets_one():
    predictor = Fixed([0] * 7)
    assert classify([0] * 7, predictor=predictor, input=Input((48, 48), 1, is_batch_fixed=True)).shape == (
        2,
        7,
    )
    assert {len(batch) for batch in predictor.seen} == {1}


def test_three_channels_without_colours_are_told():
    reading = read_network(network(input=Input((48, 48), 3)), ModelOptions())
    assert warnings_of(reading, "--colour rgb")
    assert not warnings_of(
        read_network(network(input=Input((48, 48), 3)), ModelOptions(colour="rgb")), "--col"
    )


def test_labels_must_fit_the_outputs():
    with pytest.raises(SettingsError, match=r"names 8 expressions, theirs\.onnx has 7 outputs"):
        read_network(network(), ModelOptions(labels=(*EMOTIONS, "contempt")))
    with pytest.raises(SettingsError, match=r"has 8 outputs, and their order has no common rule.*--labels"):
        read_network(network([0.125] * 8), ModelOptions())


def test_broken_weights_and_a_network_that_fails_are_told():
    with pytest.raises(ModelArtifactError, match="no numbers"):
        read_network(network([float("nan")] * 7), ModelOptions())

    class Failing:
        def predict(self, batch):
            raise RuntimeError("no such kernel\nand a long trace")

    with pytest.raises(ModelArtifactError, match=r"fails on a picture \(no such kernel\)"):
        read_network(network(predictor=Failing()), ModelOptions())


def test_a_network_in_its_training_state_is_told():
    class BatchNormalised:
        def predict(self, batch):
            means = batch.mean(axis=(1, 2, 3))
            return (means - means.mean())[:, None] * np.arange(1, 8, dtype=np.float32)

    assert warnings_of(read_network(network(predictor=BatchNormalised()), ModelOptions()), "as in training")


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((None, 48, 48, 1), Input((48, 48), 1)),
        ((1, 64, 56, 3), Input((64, 56), 3, is_batch_fixed=True)),
        (("n", 1, 56, 48), Input((56, 48), 1, is_channels_first=True)),
        ((-1, 3, 224, 224), Input((224, 224), 3, is_channels_first=True)),
    ],
)
def test_input_of_reads_both_orders(shape, expected):
    assert input_of(PATH, shape) == expected


@pytest.mark.parametrize(
    "shape",
    [(None, 2304), (None, 48, 48), (None, 48, 48, 2), (None, 8, 8, 1), (32, 48, 48, 1), (None, 900, 900, 3)],
)
def test_input_of_refuses_what_is_no_picture_of_a_face(shape):
    with pytest.raises(ModelArtifactError, match=r"theirs\.onnx takes"):
        input_of(PATH, shape)


@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        ([(None, 3)], "has 3 classes; 4 to 8 are needed"),
        ([(None, 9)], "has 9 classes"),
        ([(None, 1000)], "has 1000 classes"),
        ([(None, 7), (None, 10)], r"2 outputs \(of 7, 10 numbers\).*own is given as its folder"),
        ([(None, 6, 6, 7)], "output of shape"),
        ([], "has 0 outputs"),
    ],
)
def test_checked_classes_says_what_came(outputs, words):
    with pytest.raises(ModelArtifactError, match=words):
        checked_classes(PATH, outputs)


def built(*stack):
    return keras.Sequential([keras.Input((48, 48, 1)), *stack, layers.Flatten(), layers.Dense(7)])


def trained_norm(mean, variance, kind=layers.BatchNormalization):
    layer = kind()
    layer.build((None, 48, 48, 1))
    layer.set_weights(
        [*layer.get_weights()[:2], np.array([mean], np.float32), np.array([variance], np.float32)]
    )
    return layer


@pytest.mark.parametrize(
    ("stack", "scaling"),
    [
        ([layers.Rescaling(1 / 255)], "0..255"),
        ([layers.RandomFlip(), layers.Rescaling(1 / 127.5, offset=-1)], "0..255"),
        ([layers.Rescaling(2, offset=-1)], "0..1"),
        ([layers.Rescaling(0.5, offset=0.5)], "-1..1"),
        ([layers.Normalization(mean=129.0, variance=4000.0)], "0..255"),
        ([layers.Normalization(mean=0.5, variance=0.06)], "0..1"),
        ([layers.Conv2D(4, 3), layers.Rescaling(1 / 255)], None),
        ([layers.BatchNormalization()], None),
        ([], None),
    ],
)
def test_clue_of_first_layers(stack, scaling):
    clue = clue_of(built(*stack))
    assert (clue.scaling if clue else None) == scaling


@pytest.mark.parametrize(
    ("mean", "variance", "scaling"),
    [(129, 4000, "0..255"), (0.5, 0.06, "0..1"), (0.02, 0.25, "-1..1"), (0, 1, None)],
)
def test_clue_of_a_trained_batch_normalisation(mean, variance, scaling):
    clue = clue_of(built(trained_norm(mean, variance)))
    assert (clue.scaling if clue else None) == scaling


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ([layers.Dense(7, activation="softmax")], SOFTMAX),
        ([layers.Dense(7), layers.Softmax()], SOFTMAX),
        ([layers.Dense(7), layers.Activation("softmax")], SOFTMAX),
        ([layers.Dense(7, activation="sigmoid")], SIGMOID),
        ([layers.Dense(7)], LOGITS),
        ([keras.Sequential([layers.Dense(7, activation="softmax")])], SOFTMAX),
        ([layers.Dense(7), layers.Reshape((7,))], None),
    ],
)
def test_output_of_the_last_layer(last, expected):
    assert output_of(keras.Sequential([keras.Input((48, 48, 1)), layers.Flatten(), *last])) == expected
