"""One tiny run, exported once: model files, scores and commands are checked on it."""

import json
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from fer_web.errors import DataError, ModelArtifactError
from fer_web.inference.artifact import load_artifact
from fer_web.inference.classifier import LiteRTClassifier, Logits
from fer_web.labels import EMOTIONS, FERPLUS_VOTES
from tests.train.conftest import KERAS_WARNINGS, make_data
from train.__main__ import main
from train.config import FitConfig
from train.data import FerData
from train.evaluate import predict, score_robustness
from train.export import export, load_averaged
from train.fit import fit
from train.litert_files import KINDS
from train.robustness import CHANGES

pytestmark = KERAS_WARNINGS


@pytest.fixture(scope="module")
def everything() -> FerData:
    return make_data()


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory, everything: FerData) -> Path:
    config = FitConfig(
        network=replace(FitConfig().network, stem_filters=(8, 8), blocks=((16, 2),), dropout=0.0),
        epochs=12,
        batch_size=16,
        ema_momentum=0.5,
        dtype_policy="float32",
        # Rows of one label are near copies of each other: there would be nothing left.
        drop_leaks=False,
    )
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("train.fit.STATISTICS_BATCHES", 2)
        fit(config, everything, folder, say=lambda _: None)
    return folder


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory, run_dir: Path, everything: FerData) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    export(run_dir, everything, folder, say=lambda _: None)
    return folder


@pytest.fixture(scope="module")
def data_path(tmp_path_factory: pytest.TempPathFactory, everything: FerData) -> Path:
    path = tmp_path_factory.mktemp("data") / "fer2013.npz"
    arrays = {name: getattr(everything, name) for name in ("images", "emotion", "usage", "votes")}
    np.savez(path, **arrays)
    return path


def test_export_folder_loads_and_is_complete(model_dir: Path) -> None:
    artifact = load_artifact(model_dir)
    meta = json.loads((model_dir / "meta.json").read_text())

    assert artifact.size_hw == (48, 48)
    assert list(artifact.logit_offsets) == meta["logit_offsets"] == meta["metrics"]["shown"]["logit_offsets"]
    assert tuple(meta["labels"]) == EMOTIONS
    assert tuple(meta["ferplus_votes"]) == FERPLUS_VOTES
    assert [each["kind"] for each in meta["litert_candidates"]] == list(KINDS)
    assert meta["litert"]["passes"]
    assert meta["metrics"]["data"] == meta["metrics"]["data"] | {"usage": "PublicTest", "count": 28}
    assert meta["checkpoint"] == {"kind": "last", "epoch": 12, "weights": "averaged"}
    assert "temperature" in meta["chosen_on"]
    assert (model_dir / "plots" / "history.png").read_bytes().startswith(b"\x89PNG")


def test_export_card_quotes_the_measured_scores(model_dir: Path) -> None:
    meta = json.loads((model_dir / "meta.json").read_text())
    card = (model_dir / "MODEL_CARD.md").read_text()

    for key in ("original", "ferplus"):
        assert f"| {100 * meta['metrics'][key]['accuracy']:.1f} % |" in card
    assert "{" not in card


def test_exported_files_agree_with_the_run(run_dir: Path, model_dir: Path, everything: FerData) -> None:
    images = everything.split("PublicTest").images
    config = FitConfig(
        network=replace(FitConfig().network, stem_filters=(8, 8), blocks=((16, 2),), dropout=0.0)
    )
    model, epoch = load_averaged(config, run_dir / "last.npz")
    expected = model.predict(images[..., None].astype(np.float32), verbose=0)

    from_keras = predict(model_dir, images, runtime="keras").logits
    from_litert = LiteRTClassifier(load_artifact(model_dir)).classify(images[..., None])

    assert epoch == 12
    np.testing.assert_allclose(from_keras.ferplus, expected["ferplus"], atol=1e-4)
    np.testing.assert_array_equal(from_litert.original.argmax(axis=1), expected["original"].argmax(axis=1))
    np.testing.assert_allclose(from_litert.ferplus, expected["ferplus"], atol=1.0)


def test_exported_keras_file_has_only_keras_layers(model_dir: Path) -> None:
    model = keras.saving.load_model(model_dir / "model.keras", compile=False, safe_mode=True)

    assert {type(layer).__module__.split(".")[0] for layer in model.layers} == {"keras"}
    assert {layer.compute_dtype for layer in model.layers} == {"float32"}


def test_export_other_data_raises(run_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not that of"):
        export(run_dir, make_data(seed=5), tmp_path / "model")


def test_export_run_without_checkpoint_raises(run_dir: Path, tmp_path: Path, everything: FerData) -> None:
    (tmp_path / "config.json").write_bytes((run_dir / "config.json").read_bytes())

    with pytest.raises(DataError, match="no finished epoch"):
        export(tmp_path, everything, tmp_path / "model")


def test_evaluate_command_prints_every_metric_as_json(
    model_dir: Path, data_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(model_dir), "--data", str(data_path), "--json"]) == 0

    result = json.loads(capsys.readouterr().out)
    meta = json.loads((model_dir / "meta.json").read_text())
    assert result == meta["metrics"] | {"model": result["model"]}
    assert result["original"]["count"] == result["ferplus"]["count"] == 28
    assert result["original"]["without_copies"]["count"] == 28
    assert set(result["original"]["classes"]) == set(EMOTIONS)
    assert np.sum(result["ferplus"]["confusion"]) == 28
    assert result["shown"]["unsure"]["below"] == meta["unsure_below"]


def test_evaluate_command_on_keras_file_prints_text(
    model_dir: Path, data_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(model_dir / "model.keras"), "--data", str(data_path), "--usage", "Training"]
    assert main(["evaluate", *arguments]) == 0

    out = capsys.readouterr().out
    assert "Training, 64 rows, 0 of them copies" in out
    assert "FER+ majority: " in out


@pytest.mark.parametrize("runtime", ["litert", "keras"])
def test_evaluate_command_flip_average_is_a_column_beside_the_plain_scores(
    model_dir: Path, data_path: Path, capsys: pytest.CaptureFixture[str], runtime: str
) -> None:
    arguments = ["evaluate", str(model_dir), "--data", str(data_path), "--runtime", runtime]
    assert main([*arguments, "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert main([*arguments, "--json", "--flip-average"]) == 0
    both = json.loads(capsys.readouterr().out)
    assert main([*arguments, "--flip-average"]) == 0

    averaged = both.pop("flip_averaged")
    assert both == plain
    assert {key: each["count"] for key, each in averaged.items()} == {
        "original": 28,
        "ferplus": 28,
        "shown": 28,
    }
    (line,) = (each for each in capsys.readouterr().out.splitlines() if each.startswith("FER+ majority  "))
    assert line.endswith(f"{100 * averaged['ferplus']['accuracy']:.1f} %")


def test_evaluate_command_robustness_has_a_row_for_each_change(
    model_dir: Path, data_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["evaluate", str(model_dir), "--data", str(data_path), "--robustness"]
    assert main([*arguments, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert main(arguments) == 0

    rows, out = result["robustness"], capsys.readouterr().out
    assert set(rows) == set(CHANGES)
    for row in rows.values():
        for key in ("original", "ferplus"):
            assert row[f"{key}_change"] == pytest.approx(row[key] - result[key]["accuracy"])
    assert all(f"  {name}" in out for name in CHANGES)


def test_score_robustness_without_votes_has_original_labels_alone(everything: FerData) -> None:
    part = everything.split("PublicTest")
    bare = FerData(part.images, part.emotion, part.usage)
    right = Logits(np.eye(7, dtype=np.float32)[part.emotion], np.zeros((28, 10), np.float32))

    rows = score_robustness(lambda _: right, right, bare)

    assert all(row == {"original": 1.0, "original_change": 0.0} for row in rows.values())


def test_predict_flip_average_is_the_same_for_mirrored_images(model_dir: Path, everything: FerData) -> None:
    images = everything.split("PublicTest").images
    there = predict(model_dir, images, runtime="keras", flip_average=True).flip_averaged
    back = predict(model_dir, images[:, :, ::-1], runtime="keras", flip_average=True).flip_averaged

    np.testing.assert_allclose(there.ferplus, back.ferplus, atol=1e-4)
    np.testing.assert_allclose(there.original, back.original, atol=1e-4)
    assert predict(model_dir, images, runtime="keras").flip_averaged is None


def test_evaluate_command_errors_go_to_stderr(
    model_dir: Path, data_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(model_dir), "--data", str(data_path), "--usage", "PrivateTest"]) == 1
    assert main(["evaluate", str(model_dir / "meta.json"), "--data", str(data_path)]) == 1

    captured = capsys.readouterr()
    assert captured.out == ""
    assert "error: the data has no PrivateTest row" in captured.err
    assert "is no model" in captured.err


def test_predict_keras_file_of_another_kind_raises(tmp_path: Path, everything: FerData) -> None:
    path = tmp_path / "other.keras"
    keras.Sequential([keras.Input((48, 48, 1)), keras.layers.Flatten(), keras.layers.Dense(7)]).save(path)

    with pytest.raises(ModelArtifactError, match="lacks the outputs"):
        predict(path, everything.images)
