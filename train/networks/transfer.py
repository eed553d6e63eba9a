"""Build trunks of networks for larger pictures: faces are enlarged and coloured for them."""

import re
import warnings
from pathlib import Path
from typing import Any

import keras
from keras import layers

from fer_web.errors import SettingsError
from train.config import NetworkConfig
from train.networks.efficientnet_lite import efficientnet_lite0, load_lite0_weights

_APPLICATIONS = {
    "efficientnetb0": keras.applications.EfficientNetB0,
    "resnet50": keras.applications.ResNet50,
    "vgg16": keras.applications.VGG16,
}
_MEAN_BGR = [103.939, 116.779, 123.68]
"""ImageNet's mean pixel, taken off by the "caffe" preprocessing of ResNet50 and VGG16."""

_COUNTED = re.compile(r"^(rescaling|normalization)_\d+$")


def transfer(
    image: Any,
    config: NetworkConfig,
    normalization: type[layers.BatchNormalization] = layers.BatchNormalization,
) -> Any:
    """Lead from grey pixels (N, 48, 48, 1), 0-255, to features (N, C), with fresh weights.

    The backbone's layers are the model's own, not a model inside it, so that all of them are found
    by path.

    Args: normalization: for efficientnet_lite0; the backbones of keras.applications have their own.
    """
    side = config.backbone_side
    x = layers.Resizing(side, side, interpolation="bilinear", name="enlarge")(image)
    if config.backbone == "efficientnet_lite0":
        return layers.Dropout(config.dropout, name="dropout")(efficientnet_lite0(x, normalization))
    # Grey is the same in RGB and BGR.
    x = layers.Concatenate(name="colour")([x, x, x])
    if config.backbone != "efficientnetb0":
        # EfficientNet scales pixels by layers of its own.
        x = layers.Normalization(mean=_MEAN_BGR, variance=[1.0] * 3, name="take_mean_off")(x)
    backbone = _APPLICATIONS[config.backbone](include_top=False, weights=None, input_tensor=x, pooling="avg")
    if config.backbone == "efficientnetb0":
        images = keras.tree.map_structure(lambda _: image, backbone.input)
        backbone = keras.models.clone_model(backbone, input_tensors=images, clone_function=_with_plain_name)
    return layers.Dropout(config.dropout, name="dropout")(backbone.output)


def _with_plain_name(layer: keras.Layer) -> keras.Layer:
    """Return the layer anew, under the name it has in a fresh process: weights are found by the
    names of layers.

    EfficientNet leaves two layers without a name, and Keras numbers such names through a process.
    """
    config = layer.get_config()
    config["name"] = _COUNTED.sub(r"\1", layer.name)
    return type(layer).from_config(config)


def load_pretrained_weights(model: keras.Model, config: NetworkConfig) -> None:
    """Put a file's weights into the backbone of a model of `build_network`; the heads keep theirs.

    EfficientNet's files expect inputs divided once more by a constant. The batch normalisation
    after its first convolution undoes any such factor in training, and so it is left out.

    Raises: SettingsError: no such file, or one for another network.
    """
    path = Path(config.pretrained_weights)
    if not path.is_file():
        advice = "Give the backbone's file without its top, or none"
        if config.backbone == "efficientnet_lite0":
            advice = "The head of train/configs/transfer_lite0.toml has the command that fetches it"
        raise SettingsError(f"pretrained_weights {path} does not exist. {advice}")
    trunk = keras.Model(model.input, model.get_layer("dropout").input)
    if config.backbone == "efficientnet_lite0":
        load_lite0_weights(trunk, path)
        return
    try:
        with warnings.catch_warnings():
            # Keras warns of each layer that it does not find in the file, then raises, which is
            # enough.
            warnings.simplefilter("ignore", UserWarning)
            trunk.load_weights(path)
    except (OSError, ValueError, TypeError, KeyError) as exc:
        raise SettingsError(
            f"pretrained_weights {path} does not fit {config.backbone} without its top ({exc}). Give its own"
        ) from exc
