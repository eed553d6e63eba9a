"""One tiny run, exported once: model files, scores and commands are checked on it."""

import importlib.util
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from fer_web.errors import DataError, ModelArtifactError, SetupError
from fer_web.inference.artifact import load_artifact
from fer_web.inference.classifier import LiteRTClassifier, Logits
from fer_web.labels import EMOTIONS, FERPLUS_VOTES
from tests.support.fer_rows import KERAS_WARNINGS, make_data
from train.__main__ import main
from train.config import FitConfig
from train.data.fer_data import FerData
from train.evaluation.report import read_rows
from train.evaluation.scoring import score_robustness
from train.export.exported_files import export
from train.export.file_formats import ALL_FORMATS, FORMATS, check_formats
from train.export.litert_files import KINDS, LiteRTFile
from train.export.model_folder import Candidate, choose
from train.export.parity import Parity
from train.fit.fit import fit
from train.metrics.robustness import CHANGES
from train.runs.checkpoint import LAST_FILE
from train.runs.model_outputs import load_keras, predict
from train.runs.run_folder import read_config
from train.runs.trained_network import load_averaged

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
        patch.setattr("train.fit.fit.STATISTICS_BATCHES", 2)
        fit(config, everything, folder, say=lambda _: None)
    return folder


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory, run_dir: Path, everything: FerData) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    exported = export(run_dir, everything, folder, say=lambda _: None)
    assert exported.artifact == load_artifact(folder)
    assert all(path.exists() for path in exported.paths)
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
    assert meta["training"] | {"minutes": 0, "slowest_epoch_s": 0} == {
        "epochs": 12,
        "planned_epochs": 12,
        "minutes": 0,
        "slowest_epoch_s": 0,
        "image_sides": [{"until_epoch": 12, "side": 48}],
        "resumed": 0,
    }
    assert meta["data"]["copies_left_out"] == "near"
    for name in ("history", "confusion", "roc", "reliability", "robustness"):
        assert (model_dir / "plots" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert {path.name for path in model_dir.iterdir()} == {
        "model.keras",
        "model.tflite",
        "meta.json",
        "MODEL_CARD.md",
        "plots",
        "exports",
    }


def test_every_file_tells_what_each_cell_says(model_dir: Path, everything: FerData) -> None:
    images = everything.split("PublicTest").images[:5]
    outputs = load_keras(model_dir / "model.keras").predict(images[..., None].astype("f"), verbose=0)
    assert set(outputs) == {"original", "ferplus", "cam"}
    np.testing.assert_allclose(outputs["cam"].mean(axis=(1, 2)), outputs["ferplus"], atol=1e-4)

    classifier = LiteRTClassifier(load_artifact(model_dir))
    heatmaps = classifier.explain(images[..., None]).heatmaps
    assert heatmaps is not None
    assert heatmaps.shape == (5, 7, *outputs["cam"].shape[1:3])
    names = {output.name for output in onnxruntime_outputs(model_dir / "exports" / "model.onnx")}
    assert len(names) == 3


def onnxruntime_outputs(path: Path) -> list[Any]:
    import onnxruntime

    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).get_outputs()


def test_every_format_agrees_with_the_network_when_opened_by_its_own_library(
    model_dir: Path, everything: FerData
) -> None:
    meta = json.loads((model_dir / "meta.json").read_text())
    images = everything.split("PublicTest").images[:5]
    expected = predict(model_dir, images, runtime="keras").logits

    titles = [title for each in FORMATS.values() for title in each.loaders]
    assert titles == ["Keras", "SavedModel", "HDF5", "HDF5 weights + JSON", "ONNX"]
    assert [row["title"] for row in meta["formats"]] == titles
    assert json.loads((model_dir / "exports" / "parity.json").read_text())["formats"] == meta["formats"]
    for row in meta["formats"]:
        assert row["largest_logit_difference"] < 1e-3
        assert row["accuracy_change"] == {"original": 0.0, "ferplus": 0.0}
        folder = model_dir if row["format"] == "keras" else model_dir / "exports"
        assert FORMATS[row["format"]].size_bytes(folder) == row["size_bytes"] > 1000
        logits = FORMATS[row["format"]].open(row["title"], folder)(images)
        np.testing.assert_allclose(logits.original, expected.original, atol=1e-3)
        np.testing.assert_allclose(logits.ferplus, expected.ferplus, atol=1e-3)


@pytest.mark.parametrize(
    ("name", "title", "broken"),
    [
        ("keras", "Keras", "model.keras"),
        ("savedmodel", "SavedModel", "saved_model/saved_model.pb"),
        ("h5", "HDF5", "model.h5"),
        ("h5", "HDF5 weights + JSON", "model.h5"),
        ("h5", "HDF5 weights + JSON", "architecture.json"),
        ("onnx", "ONNX", "model.onnx"),
    ],
)
def test_open_file_cut_short_or_missing_raises(
    model_dir: Path, tmp_path: Path, name: str, title: str, broken: str
) -> None:
    shutil.copytree(model_dir / "exports", tmp_path / "files")
    shutil.copy(model_dir / "model.keras", tmp_path / "files")
    path = tmp_path / "files" / broken
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(ModelArtifactError, match=r"cannot be opened as"):
        FORMATS[name].open(title, tmp_path / "files")
    path.unlink()
    with pytest.raises(ModelArtifactError, match=r"cannot be opened as|is no model"):
        FORMATS[name].open(title, tmp_path / "files")


def test_export_file_that_differs_from_the_network_raises_and_nothing_is_written(
    model_dir: Path, tmp_path: Path, everything: FerData, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = Logits(np.zeros((28, 7), np.float32), np.zeros((28, 10), np.float32))
    loaders = {"HDF5": lambda _: lambda _: wrong}
    monkeypatch.setitem(FORMATS, "h5", replace(FORMATS["h5"], loaders=loaders))
    with pytest.raises(ModelArtifactError, match=r"HDF5 gives logits that differ by .* Leave h5 out"):
        export(model_dir, everything, tmp_path, formats=["keras", "h5"], say=lambda _: None)
    assert list(tmp_path.iterdir()) == []


def test_export_model_folder_again_keeps_file_and_training(
    model_dir: Path, tmp_path: Path, everything: FerData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("train.export.exported_files.KINDS", ("float32",))
    export(model_dir, everything, tmp_path, formats=["keras", "litert"], say=lambda _: None)

    before, after = (json.loads((each / "meta.json").read_text()) for each in (model_dir, tmp_path))
    for key in ("data", "seed", "checkpoint", "config", "environment", "training"):
        assert after[key] == before[key]
    for name in ("model.keras", "plots/history.png"):
        assert (tmp_path / name).read_bytes() == (model_dir / name).read_bytes()
    assert not (tmp_path / "exports").exists()


def test_export_command_gives_other_formats_of_a_model_alone(
    model_dir: Path, data_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = str(model_dir / "model.keras")
    arguments = [source, "--data", str(data_path), "--out", str(tmp_path), "--formats", "onnx,savedmodel"]
    assert main(["export", *arguments]) == 0

    assert [path.name for path in tmp_path.iterdir()] == ["exports"]
    names = {path.name for path in (tmp_path / "exports").iterdir()}
    assert names == {"model.onnx", "saved_model", "parity.json"}
    _, table = capsys.readouterr().out.split("over 28 images")
    for title in ("SavedModel", "ONNX"):
        (line,) = (each for each in table.splitlines() if each.strip().startswith(title))
        assert line.split()[3:5] == ["+0.00", "+0.00"]


def test_export_keras_file_says_that_its_training_is_unknown(
    model_dir: Path, tmp_path: Path, everything: FerData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("train.export.exported_files.KINDS", ("float32",))
    source = model_dir / "model.keras"
    export(source, everything, tmp_path, formats=["keras", "litert"], say=lambda _: None)

    assert load_artifact(tmp_path).name == load_artifact(model_dir).name
    assert "does not say how it was trained" in (tmp_path / "MODEL_CARD.md").read_text()


def test_export_one_file_into_a_model_folder_raises(model_dir: Path, everything: FerData) -> None:
    before = (model_dir / "model.keras").read_bytes()
    with pytest.raises(ModelArtifactError, match="whose files belong together"):
        export(model_dir, everything, model_dir, formats=["keras"], say=lambda _: None)
    assert (model_dir / "model.keras").read_bytes() == before


def test_export_command_unknown_format_is_refused_before_the_data_is_read(
    model_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["export", str(model_dir), "--data", str(tmp_path / "none.npz"), "--out", str(tmp_path)]
    assert main([*arguments, "--formats", "keras,tflite"]) == 1
    assert main([*arguments, "--formats", ","]) == 1

    unknown, empty = capsys.readouterr().err.strip().splitlines()
    allowed = "error: --formats must be all or some of keras, litert, savedmodel, h5, onnx"
    assert unknown.startswith(allowed)
    assert "not 'tflite'" in unknown
    assert empty.startswith(allowed)


def test_check_formats_without_onnx_packages_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name in ("onnx", "onnxruntime") else find(name)
    )
    with pytest.raises(
        SetupError, match=r"not installed: onnx, onnxruntime.*requirements-export\.txt.*"
    ) as caught:
        check_formats(["all"])
    assert str(caught.value).endswith("--formats keras,litert,savedmodel,h5")
    assert check_formats(["h5", " keras"]) == ("keras", "h5")


def test_check_formats_all_has_every_format_once() -> None:
    assert check_formats(["onnx", "all"]) == ALL_FORMATS


def make_candidate(kind: str, latency_ms: float, change: float, difference: float = 0.5) -> Candidate:
    file = LiteRTFile(kind, Path(f"{kind}.tflite"), {}, 1000)
    logits = Logits(np.zeros((0, 7), np.float32), np.zeros((0, 10), np.float32))
    return Candidate(file, logits, Parity({"original": 0.01, "ferplus": change}, difference), latency_ms)


def test_choose_takes_the_fastest_that_keeps_its_accuracy() -> None:
    candidates = [
        make_candidate("float32", 3.0, 0.0),
        make_candidate("int8-weights", 1.0, -0.0029),
        make_candidate("int8", 0.5, -0.003),
    ]
    assert choose(candidates).file.kind == "int8-weights"
    with pytest.raises(ModelArtifactError, match=r"every LiteRT file loses 0\.3% of accuracy or more"):
        choose(candidates[2:])


def test_choose_takes_the_closest_of_equally_fast_files() -> None:
    weights = make_candidate("int8-weights", 0.63, -0.001, difference=0.1)
    full = make_candidate("int8", 0.61, -0.002, difference=1.4)
    assert choose([weights, full]) is weights
    assert choose([weights, make_candidate("int8", 0.5, -0.002, difference=1.4)]).file.kind == "int8"


@pytest.mark.parametrize("formats", [["keras", "litert"], ["onnx"]])
def test_export_what_is_no_model_raises(tmp_path: Path, everything: FerData, formats: list[str]) -> None:
    with pytest.raises(DataError, match="neither a run folder with"):
        export(tmp_path / "nothing", everything, tmp_path / "out", formats=formats)


def test_export_card_quotes_the_measured_scores(model_dir: Path) -> None:
    meta = json.loads((model_dir / "meta.json").read_text())
    card = (model_dir / "MODEL_CARD.md").read_text()

    for key in ("original", "ferplus"):
        assert f"| {100 * meta['metrics'][key]['accuracy']:.1f} % |" in card
    assert all(f"| {name} |" in card for name in CHANGES)
    assert all(f"| {row['title']} | - |" in card for row in meta["formats"])
    assert "12 epochs in" in card
    assert "![confusion](plots/confusion.png)" in card
    assert "{" not in card


def test_exported_files_agree_with_the_run(run_dir: Path, model_dir: Path, everything: FerData) -> None:
    images = everything.split("PublicTest").images
    config = FitConfig(
        network=replace(FitConfig().network, stem_filters=(8, 8), blocks=((16, 2),), dropout=0.0)
    )
    model, epoch = load_averaged(config, run_dir / "last.npz")
    expected = model.predict(images[..., None].astype(np.float32), verbose=0)

    from_keras = predict(model_dir, images, runtime="keras").logits
    from_litert = LiteRTClassifier(load_artifact(model_dir)).logits(images[..., None])

    assert epoch == 12
    np.testing.assert_allclose(from_keras.ferplus, expected["ferplus"], atol=1e-4)
    np.testing.assert_array_equal(from_litert.original.argmax(axis=1), expected["original"].argmax(axis=1))
    np.testing.assert_allclose(from_litert.ferplus, expected["ferplus"], atol=1.0)


def test_exported_keras_file_has_only_keras_layers(model_dir: Path) -> None:
    model = keras.saving.load_model(model_dir / "model.keras", compile=False, safe_mode=True)

    assert {type(layer).__module__.split(".")[0] for layer in model.layers} == {"keras"}
    assert {layer.compute_dtype for layer in model.layers} == {"float32"}


def test_export_other_data_raises(run_dir: Path, model_dir: Path, tmp_path: Path) -> None:
    for source in (run_dir, model_dir):
        with pytest.raises(DataError, match="not that of"):
            export(source, make_data(seed=5), tmp_path / "model")


def test_export_without_the_votes_of_the_run_raises(
    run_dir: Path, tmp_path: Path, everything: FerData
) -> None:
    bare = FerData(everything.images, everything.emotion, everything.usage)
    with pytest.raises(DataError, match="--ferplus it was trained with"):
        export(run_dir, bare, tmp_path / "model")


def test_export_run_without_votes_is_judged_by_labels_and_the_card_says_so(
    run_dir: Path, tmp_path: Path, everything: FerData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("train.export.exported_files.KINDS", ("float32",))
    monkeypatch.setattr("train.fit.fit.STATISTICS_BATCHES", 2)
    bare, lines = FerData(everything.images, everything.emotion, everything.usage), []
    config = replace(read_config(run_dir), epochs=2)
    fit(config, bare, tmp_path / "run", say=lambda _: None)

    export(tmp_path / "run", bare, tmp_path / "model", formats=["keras", "litert"], say=lines.append)

    meta = json.loads((tmp_path / "model" / "meta.json").read_text())
    assert (meta["judged_by"], meta["data"]["ferplus_targets"]) == ("original labels", "original labels")
    assert meta["metrics"]["label_agreement"] == 1
    assert any("the original labels stand for the FER+ majority" in line for line in lines)
    assert "There were no FER+ votes" in (tmp_path / "model" / "MODEL_CARD.md").read_text()
    run, model = (row.to_dict() for row in read_rows([tmp_path / "run", tmp_path / "model"]))
    assert run["original"]["accuracy"] is not None
    assert model["original"]["accuracy"] is not None
    assert run["ferplus"]["accuracy"] is model["ferplus"]["accuracy"] is model["calibration_error"] is None
    again = export(
        tmp_path / "model", bare, tmp_path / "again", formats=["keras", "litert"], say=lines.append
    )
    assert again.artifact is not None


def test_export_run_with_weights_of_another_network_raises(
    run_dir: Path, tmp_path: Path, everything: FerData
) -> None:
    record = json.loads((run_dir / "config.json").read_text())
    record["config"]["network"]["blocks"] = [[16, 2], [16, 1]]
    (tmp_path / "config.json").write_text(json.dumps(record))
    shutil.copyfile(run_dir / LAST_FILE, tmp_path / LAST_FILE)

    with pytest.raises(DataError, match="has not the weights of its run's network"):
        export(tmp_path, everything, tmp_path / "model")


def test_export_run_without_checkpoint_raises(run_dir: Path, tmp_path: Path, everything: FerData) -> None:
    (tmp_path / "config.json").write_bytes((run_dir / "config.json").read_bytes())

    with pytest.raises(DataError, match="no finished epoch"):
        export(tmp_path, everything, tmp_path / "model")
    (tmp_path / LAST_FILE).write_bytes((run_dir / LAST_FILE).read_bytes()[:5000])
    with pytest.raises(DataError, match=r"last\.npz is broken"):
        export(tmp_path, everything, tmp_path / "model")


def test_evaluate_command_prints_every_metric_as_json(
    model_dir: Path, data_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(model_dir), "--data", str(data_path), "--json"]) == 0

    result = json.loads(capsys.readouterr().out)
    meta = json.loads((model_dir / "meta.json").read_text())
    beside = ("flip_averaged", "robustness", "robustness_worst")
    measured = {key: value for key, value in meta["metrics"].items() if key not in beside}
    assert set(beside) < set(meta["metrics"])
    assert result == measured | {"model": result["model"]}
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
    run_dir: Path, model_dir: Path, data_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(model_dir), "--data", str(data_path), "--usage", "PrivateTest"]) == 1
    assert main(["evaluate", str(model_dir / "meta.json"), "--data", str(data_path)]) == 1

    assert main(["evaluate", str(run_dir), "--data", str(data_path)]) == 1

    captured = capsys.readouterr()
    assert captured.out == ""
    assert "is a run, not a model. Export it first" in captured.err
    assert "error: the data has no PrivateTest row" in captured.err
    assert "is no model" in captured.err


def test_predict_keras_file_of_another_kind_raises(tmp_path: Path, everything: FerData) -> None:
    path = tmp_path / "other.keras"
    keras.Sequential([keras.Input((48, 48, 1)), keras.layers.Flatten(), keras.layers.Dense(7)]).save(path)

    with pytest.raises(ModelArtifactError, match="lacks the outputs"):
        predict(path, everything.images)
