import keras
import numpy as np
import pytest
import tensorflow as tf

from fer_web.errors import ModelArtifactError
from fer_web.inference.custom.custom_network import SIGMOID, SOFTMAX
from fer_web.inference.custom.grad_cam import _logits
from fer_web.inference.custom.options import ModelOptions, parse_labels
from fer_web.inference.custom.scaling import scale_pixels
from fer_web.inference.models import open_model
from fer_web.labels import EMOTIONS
from tests.support import custom_networks as networks
from tests.support.fer_rows import KERAS_WARNINGS

pytestmark = KERAS_WARNINGS
layers = keras.layers


@pytest.fixture(scope="module")
def ended_by(tmp_path_factory):
    """Files of networks with the same weights that end in an average, a dense layer and an activation."""
    folder = tmp_path_factory.mktemp("networks")

    def save(activation, classes=7):
        image = keras.Input((48, 48, 1))
        x = layers.Conv2D(16, 5, strides=4, activation="relu")(layers.Rescaling(1 / 255)(image))
        places = layers.Conv2D(24, 3, strides=2, activation="relu", name="places")(x)
        head = layers.Dense(classes, activation=activation, name="head")
        model = networks.with_weights(keras.Model(image, head(layers.GlobalAveragePooling2D()(places))))
        path = folder / f"{activation}_{classes}.keras"
        model.save(path)
        return path

    return save


def activation_maps(path, crops, order=range(7)):
    """What the head says of each place above the mean of the seven (Zhou et al. 2016)."""
    model = keras.saving.load_model(path)
    inner = keras.Model(model.inputs, model.get_layer("places").output)
    kernel = model.get_layer("head").get_weights()[0][:, list(order)]
    said = inner.predict(crops.astype(np.float32), verbose=0) @ kernel
    return np.moveaxis(said - said.mean(axis=-1, keepdims=True), -1, 1)


@pytest.mark.parametrize("activation", ["linear", "softmax", "sigmoid"])
def test_it_is_the_activation_map_where_there_is_one(ended_by, activation):
    path, crops = ended_by(activation), networks.faces_for((48, 48))
    opened = open_model(path)
    assert opened.info.heatmaps == "grad-cam"
    prediction = opened.new_classifier().explain(crops)
    wanted = np.maximum(activation_maps(path, crops), 0)
    places = wanted.shape[2] * wanted.shape[3]
    assert wanted.max() > 0.1
    np.testing.assert_allclose(places * prediction.heatmaps, wanted, rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(prediction.scores, opened.new_classifier().classify(crops).scores)


def test_maps_stand_under_the_names_of_their_outputs(ended_by):
    order = ("contempt", "neutral", "happy", "sad", "surprise", "fear", "disgust", "angry")
    path, crops = ended_by("linear", 8), networks.faces_for((48, 48))
    opened = open_model(path, ModelOptions(labels=parse_labels(",".join(order))))
    prediction = opened.new_classifier().explain(crops)
    wanted = np.maximum(activation_maps(path, crops, [order.index(name) for name in EMOTIONS]), 0)
    np.testing.assert_allclose(
        prediction.heatmaps * wanted.shape[2] * wanted.shape[3], wanted, rtol=1e-3, atol=1e-3
    )


@pytest.mark.parametrize("output", [SOFTMAX, SIGMOID])
def test_probabilities_alone_give_the_same_maps(output):
    logits = np.array([[1.0, -2.0, 0.5, 3.0, 0.0, -1.0, 0.25]], np.float32)
    shares = tf.nn.softmax(logits) if output == SOFTMAX else tf.sigmoid(logits)
    found = _logits(shares, output).numpy()
    np.testing.assert_allclose(found - found.mean(), logits - logits.mean(), atol=1e-5)


@pytest.mark.parametrize("build", [networks.sequential_48, networks.xception_64, networks.rgb_224])
def test_usual_networks_have_maps_for_any_number_of_faces(tmp_path, build):
    opened = open_model(networks.save_h5(build(), tmp_path))
    classifier = opened.new_classifier()
    crops = networks.faces_for(opened.info.size_hw, opened.info.channels)
    for count in (2, 1, 0):
        heatmaps = classifier.explain(crops[:count]).heatmaps
        if count:
            assert heatmaps.shape[:2] == (count, 7)
            assert min(heatmaps.shape[2:]) > 1
            assert heatmaps.max() > 0
            assert np.isfinite(heatmaps).all()
        else:
            assert heatmaps is None


@pytest.mark.parametrize("save", [networks.save_tflite, networks.save_onnx])
def test_other_formats_say_that_they_have_none(tmp_path, save):
    info = open_model(save(networks.sequential_48(), tmp_path), ModelOptions(scaling="0..1")).info
    assert info.heatmaps is None
    assert "Keras files" in info.no_heatmaps


def test_a_network_without_pictures_inside_says_that_it_has_none(tmp_path):
    model = keras.Sequential([keras.Input((48, 48, 1)), layers.Flatten(), layers.Dense(7)])
    opened = open_model(networks.save_keras(networks.with_weights(model), tmp_path))
    assert opened.info.heatmaps is None
    assert "no pictures" in opened.info.no_heatmaps
    assert opened.new_classifier().explain(networks.faces_for((48, 48))).heatmaps is None


def test_a_network_inside_a_network_has_maps(tmp_path):
    inner = keras.Sequential([keras.Input((48, 48, 1)), layers.Conv2D(8, 3, strides=2, activation="relu")])
    outer = keras.Sequential(
        [keras.Input((48, 48, 1)), inner, layers.GlobalAveragePooling2D(), layers.Dense(7)]
    )
    opened = open_model(networks.save_keras(networks.with_weights(outer), tmp_path))
    heatmaps = opened.new_classifier().explain(networks.faces_for((48, 48))).heatmaps
    assert opened.info.heatmaps == "grad-cam"
    assert heatmaps.max() > 0


def test_an_explainer_that_fails_is_an_error_in_words(ended_by, monkeypatch):
    opened = open_model(ended_by("linear"))

    def fail(*_):
        raise LookupError("no gradient defined for operation")

    monkeypatch.setattr(opened.network.explainer, "explain", fail)
    with pytest.raises(ModelArtifactError, match=r"No heat maps can be made of .*no gradient"):
        opened.new_classifier().explain(networks.faces_for((48, 48)))


def test_scaling_is_that_of_the_scores(ended_by):
    crops = networks.faces_for((48, 48))
    assert scale_pixels(crops, "0..255").max() > 1
    dark = ModelOptions(scaling="0..1")
    first = open_model(ended_by("linear")).new_classifier().explain(crops).heatmaps
    other = open_model(ended_by("linear"), dark).new_classifier().explain(crops).heatmaps
    assert np.abs(first - other).max() > 1e-3
