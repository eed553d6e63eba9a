"""Small networks shaped as in tutorials, with weights that tell pictures apart, saved in each format."""

import json
import warnings
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from fer_web.vision.haar import HaarDetector
from fer_web.vision.preprocess import crop_faces
from tests.support.faces import astronaut_bgr, grace_hopper_bgr

layers = keras.layers


def sequential_48():
    """48x48x1, convolutions of 32, 64 and 128 filters, softmax."""
    return with_weights(
        keras.Sequential(
            [
                keras.Input((48, 48, 1)),
                layers.Conv2D(32, 3, activation="relu"),
                layers.MaxPooling2D(),
                layers.Conv2D(64, 3, activation="relu"),
                layers.BatchNormalization(),
                layers.MaxPooling2D(),
                layers.Conv2D(128, 3, activation="relu"),
                layers.GlobalAveragePooling2D(),
                layers.Dropout(0.5),
                layers.Dense(7, activation="softmax"),
            ]
        )
    )


def xception_64():
    """64x64x1, separable convolutions with a residual, softmax at the end as a layer."""
    image = keras.Input((64, 64, 1))
    x = layers.Conv2D(8, 3, use_bias=False)(image)
    x = layers.Activation("relu")(layers.BatchNormalization()(x))
    residual = layers.BatchNormalization()(layers.Conv2D(16, 1, strides=2, padding="same")(x))
    x = layers.SeparableConv2D(16, 3, padding="same", use_bias=False)(x)
    x = layers.MaxPooling2D(3, strides=2, padding="same")(layers.BatchNormalization()(x))
    x = layers.Conv2D(7, 3, padding="same")(layers.add([x, residual]))
    x = layers.GlobalAveragePooling2D()(x)
    return with_weights(keras.Model(image, layers.Activation("softmax")(x)))


def rgb_224():
    """224x224x3, scaling inside as EfficientNet has it, logits."""
    image = keras.Input((224, 224, 3))
    x = layers.Rescaling(1 / 255)(image)
    x = layers.Conv2D(8, 3, strides=4, activation="swish")(x)
    x = layers.BatchNormalization()(layers.DepthwiseConv2D(3, strides=2)(x))
    excitation = layers.Reshape((1, 1, 8))(layers.GlobalAveragePooling2D()(x))
    x = layers.Multiply()([x, layers.Conv2D(8, 1, activation="sigmoid")(excitation)])
    return with_weights(keras.Model(image, layers.Dense(7)(layers.GlobalAveragePooling2D()(x))))


def with_weights(model, seed=7):
    """The model with weights large enough that two faces get different answers."""
    random = np.random.default_rng(seed)
    for layer in model.layers:
        weights = layer.get_weights()
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights([each * random.uniform(0.8, 1.2, each.shape) for each in weights])
        elif weights:
            layer.set_weights(
                [_drawn(random, each, 3) for each in weights[:-1]]
                + [random.normal(0, 0.1, weights[-1].shape)]
                if len(weights) > 1
                else [_drawn(random, weights[0], 2)]
            )
    return model


def _drawn(random, initial, scale):
    """As wide as Keras draws them, times `scale`, and the same each time."""
    return random.normal(0, scale * initial.std(), initial.shape)


def faces_for(size_hw, channels=1):
    """Two real faces, uint8 (2, height, width, channels)."""
    detector = HaarDetector()
    pictures = (astronaut_bgr(), grace_hopper_bgr())
    return np.concatenate([crop_faces(each, detector.search(each), size_hw, channels) for each in pictures])


def save_keras(model, folder):
    """As .keras."""
    return _saved(model, folder / "model.keras")


def save_h5(model, folder):
    """As one HDF5 file."""
    return _saved(model, folder / "model.h5")


def save_json(model, folder):
    """As architecture and weights of Keras 3."""
    (folder / "model.json").write_text(model.to_json())
    model.save_weights(folder / "model.weights.h5")
    return folder / "model.json"


def save_keras_2(model, folder):
    """As architecture and weights that Keras 2 wrote, under names that have nothing in common."""
    save_h5(model, folder).rename(folder / "trained_weights.h5")
    (folder / "structure.json").write_text(json.dumps(as_keras_2(json.loads(model.to_json()))))
    return Path(f"{folder / 'structure.json'},{folder / 'trained_weights.h5'}")


def save_saved_model(model, folder):
    """As a SavedModel folder."""
    model.export(folder / "saved", format="tf_saved_model", verbose=False)
    return folder / "saved"


def save_tflite(model, folder, **options):
    """As a LiteRT file, of float32 unless `options` say otherwise."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        for name, value in options.items():
            setattr(converter, name, value)
        (folder / "model.tflite").write_bytes(converter.convert())
    return folder / "model.tflite"


def save_quantised(model, folder, dtype, inputs):
    """As a LiteRT file with 8-bit input and output, its ranges measured on scaled `inputs`."""
    return save_tflite(
        model,
        folder,
        optimizations=[tf.lite.Optimize.DEFAULT],
        representative_dataset=lambda: ([each[None]] for each in inputs),
        inference_input_type=tf.as_dtype(dtype),
        inference_output_type=tf.as_dtype(dtype),
    )


def save_onnx(model, folder):
    """As an ONNX file."""
    model(np.zeros((1, *model.input_shape[1:]), np.float32))  # or Keras will not export it
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.export(folder / "model.onnx", format="onnx", verbose=False, opset_version=18)
    return folder / "model.onnx"


def as_keras_2(node):
    """A configuration with the keys and the shapes that Keras 2 wrote."""
    if isinstance(node, list):
        return [as_keras_2(each) for each in node]
    if not isinstance(node, dict):
        return node
    later = ("module", "registered_name", "build_config", "compile_config", "optional")
    old = {key: as_keras_2(value) for key, value in node.items() if key not in later}
    if isinstance(old.get("dtype"), dict):
        old["dtype"] = "float32"
    if "batch_shape" in old:
        old["batch_input_shape"] = old.pop("batch_shape")
    if old.get("class_name") == "BatchNormalization":
        old["config"]["axis"] = [3]
    if old.get("class_name") == "SeparableConv2D":
        old["config"]["kernel_initializer"] = {"class_name": "Zeros", "config": {}}
    return old


def _saved(model, path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(path)
    return path
