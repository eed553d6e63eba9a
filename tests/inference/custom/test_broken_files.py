"""What is no model says what it is, without opening it."""

import io
import pickle
import zipfile
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest

from fer_web.errors import ModelArtifactError, SettingsError
from fer_web.inference.custom.options import ModelOptions
from fer_web.inference.models import open_model
from fer_web.labels import EMOTIONS
from fer_web.settings import Settings
from tests.support import custom_networks as networks
from tests.support.fer_rows import KERAS_WARNINGS

pytestmark = [KERAS_WARNINGS, pytest.mark.filterwarnings("ignore:.*np.object.*:FutureWarning")]


def refused(path, options=None):
    """The text of the error that opening this gives."""
    with pytest.raises(ModelArtifactError) as error:
        open_model(Path(path), options)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    "name", ["x.keras", "x.h5", "x.json", "x.tflite", "x.onnx", "x", "x.json,y.h5", "a\0b.h5"]
)
def test_no_file(tmp_path, name):
    text = refused(tmp_path / name)
    assert "cannot be read" in text
    assert "a folder with meta.json, .keras, .h5" in text


@pytest.mark.parametrize("suffix", ["keras", "h5", "hdf5", "json", "tflite", "onnx"])
def test_empty_file_lfs_pointer_and_pickle(tmp_path, suffix):
    path = tmp_path / f"model.{suffix}"
    (tmp_path / "model.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    path.write_bytes(b"")
    assert "is empty" in refused(path)
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    assert "git lfs pull" in refused(path)
    path.write_bytes(pickle.dumps({"weights": [1, 2]}))
    assert "Python pickle, which runs whatever code is in it" in refused(path)


@pytest.mark.parametrize("suffix", ["keras", "h5", "json", "tflite", "onnx"])
def test_another_file_under_this_name(tmp_path, suffix):
    path = tmp_path / f"model.{suffix}"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    assert str(path) in refused(path)


def test_unknown_suffix_and_folders(tmp_path):
    (tmp_path / "model.pt").write_bytes(b"PK")
    assert ".tflite or .onnx" in refused(tmp_path / "model.pt")
    assert "neither meta.json nor saved_model.pb" in refused(tmp_path)
    (tmp_path / "variables").mkdir()
    assert "not whole" in refused(tmp_path)
    (tmp_path / "saved_model.pb").write_bytes(b"not protobuf")
    assert "not whole" in refused(tmp_path, ModelOptions(is_trusted=True))


def test_keras_and_hdf5_under_each_others_names(tmp_path):
    model = networks.sequential_48()
    networks.save_keras(model, tmp_path).rename(tmp_path / "a.h5")
    assert "Name it so: a.keras" in refused(tmp_path / "a.h5")
    networks.save_h5(model, tmp_path).rename(tmp_path / "b.keras")
    assert "Name it so: b.h5" in refused(tmp_path / "b.keras")


@pytest.mark.parametrize("part", [0.1, 0.5, 0.95])
@pytest.mark.parametrize(
    "save", [networks.save_keras, networks.save_h5, networks.save_tflite, networks.save_onnx]
)
def test_a_file_that_was_cut_short(tmp_path, save, part):
    path = save(networks.sequential_48(), tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    assert any(words in refused(path) for words in ("cut short", "not whole"))


@pytest.mark.parametrize("suffix", ["keras", "h5", "tflite", "onnx"])
def test_altered_bytes_never_give_a_traceback(tmp_path, suffix):
    save = {"keras": networks.save_keras, "h5": networks.save_h5}
    save |= {"tflite": networks.save_tflite, "onnx": networks.save_onnx}
    path = save[suffix](networks.sequential_48(), tmp_path)
    content = path.read_bytes()
    random = np.random.default_rng(5)
    for _ in range(10):
        altered = bytearray(content)
        for place in random.integers(8, min(len(altered), 20_000), 40):
            altered[place] = int(random.integers(256))
        path.write_bytes(altered)
        try:
            open_model(path)
        except ModelArtifactError as exc:
            assert str(path) in str(exc)  # noqa: PT017 - not every change breaks a file


def test_a_zip_bomb_is_not_unpacked(tmp_path):
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", bytes(50_000_000))
    assert "would unpack to 50000002" in refused(path)


def test_a_zip_that_lies_about_its_size_is_not_unpacked(tmp_path):
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", bytes(5_000_000))
    content = path.read_bytes().replace((5_000_000).to_bytes(4, "little"), (50_000).to_bytes(4, "little"))
    path.write_bytes(content)
    assert "cannot be unpacked" in refused(path)


def test_an_hdf5_bomb_is_not_unpacked(tmp_path):
    with h5py.File(tmp_path / "model.h5", "w") as file:
        file.attrs["model_config"] = "{}"
        file.create_dataset(
            "model_weights/huge", (40_000, 40_000), "f4", chunks=(1000, 1000), compression="gzip"
        )
    assert "1600000000 numbers when unpacked" in refused(tmp_path / "model.h5")


def test_a_zip_without_its_parts(tmp_path):
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
    assert "without model.weights.h5" in refused(path)


def test_an_architecture_that_is_none_or_too_large(tmp_path):
    path = networks.save_json(networks.sequential_48(), tmp_path)
    text = path.read_text()
    path.write_text(text[:500])
    assert "no readable architecture" in refused(path)
    path.write_text('{"a": 1}')
    assert "no Keras architecture" in refused(path)
    path.write_text(text.replace('"filters": 128', '"filters": 128000000'))
    assert "filters 128000000; up to 100000" in refused(path)
    path.write_text('{"class_name": "Sequential", "config": ' + "[" * 100_000 + "]" * 100_000 + "}")
    assert "no readable architecture" in refused(path)


def test_an_architecture_without_weights_and_weights_without_one(tmp_path):
    model = networks.sequential_48()
    path = networks.save_json(model, tmp_path)
    path.with_name("model.weights.h5").rename(tmp_path / "other.h5")
    assert f"--model {path},WEIGHTS.h5" in refused(path)
    assert open_model(Path(f"{path},{tmp_path / 'other.h5'}")).info.size_hw == (48, 48)
    assert open_model(Path(f"{path},other.h5")).info.size_hw == (48, 48)
    assert "weights without an architecture" in refused(tmp_path / "other.h5")


def test_weights_of_another_architecture(tmp_path):
    networks.save_json(networks.xception_64(), tmp_path)
    (tmp_path / "model.json").write_text(networks.sequential_48().to_json())
    assert "cannot be opened by Keras" in refused(tmp_path / "model.json")


@pytest.mark.parametrize("save", [networks.save_keras, networks.save_tflite, networks.save_onnx])
def test_a_network_for_something_else(tmp_path, save):
    layers = networks.layers
    image = networks.keras.Input((48, 48, 1))
    model = networks.keras.Model(image, layers.Dense(10)(layers.Flatten()(image)))
    assert "has 10 classes; 4 to 8 are needed, of angry, disgust" in refused(save(model, tmp_path))


def test_our_own_files_outside_their_folder_and_options_for_our_folder(tmp_path):
    own = Settings().model
    for name in ("model.keras", "model.tflite"):
        assert "given as its folder" in refused(own / name)
    with pytest.raises(SettingsError, match="says itself how it is to be run"):
        open_model(own, ModelOptions(labels=EMOTIONS))
    assert open_model(own, ModelOptions(is_trusted=True)).warnings == ()


def test_a_file_that_is_too_large(tmp_path):
    path = tmp_path / "model.onnx"
    with path.open("wb") as file:
        file.truncate(2_100_000_000)
    assert "2100000000 bytes" in refused(path)


def test_check_hdf5_reads_from_memory_too():
    from fer_web.inference.custom.hdf5_files import check_hdf5

    with pytest.raises(ModelArtifactError, match="cannot be read as HDF5"):
        check_hdf5(Path("x"), io.BytesIO(zlib.compress(b"x")))
