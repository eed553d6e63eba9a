from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from fer_web.errors import DataError, ModelArtifactError, SettingsError
from fer_web.inference.scores import softmax
from tests.support.fer_rows import KERAS_WARNINGS
from train.config import FitConfig
from train.data.fer_data import FerData
from train.fit.batches import TEACHER_IMAGES, all_batches
from train.fit.distillation import mean_distance
from train.fit.fit import compile_network, fit
from train.fit.soft_targets import SOFT_TARGETS_FILE, SoftTargets, ask_teachers
from train.fit.teachers import hash_teachers, load_teachers
from train.networks.networks import build_network
from train.runs.checkpoint import LAST_FILE, averaged_weights
from train.runs.run_folder import read_history, read_run

pytestmark = KERAS_WARNINGS


@pytest.fixture(scope="module", autouse=True)
def few_statistics() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("train.fit.fit.STATISTICS_BATCHES", 2)
        yield


def quiet(_: str) -> None:
    pass


def stop_at_once(_: str) -> None:
    """End a run whose folder is there already, before it trains."""
    raise KeyboardInterrupt


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory, tiny_config: FitConfig, data: FerData) -> str:
    """The folder of a run that knows the stripes."""
    folder = tmp_path_factory.mktemp("teacher")
    fit(replace(tiny_config, epochs=6, batch_size=8), data, folder, say=quiet)
    return str(folder)


def shuffled(data: FerData) -> FerData:
    """Training rows with the labels and votes of others; PublicTest as it is."""
    training = np.flatnonzero(data.usage == 0)
    order = np.arange(len(data))
    order[training] = np.random.default_rng(3).permutation(training)
    return FerData(data.images, data.emotion[order], data.usage, data.votes[order])


def test_fit_with_teachers_learns_what_shuffled_labels_do_not_say(
    tmp_path: Path, tiny_config: FitConfig, data: FerData, teacher: str
) -> None:
    taught = replace(
        tiny_config, epochs=6, batch_size=8, seed=5, teachers=(teacher, teacher), distill_weight=1.0
    )
    rows = shuffled(data)
    assert np.mean(rows.split("Training").emotion == data.split("Training").emotion) < 0.3

    student = fit(taught, rows, tmp_path, say=quiet).last_epoch

    assert student["val_original_accuracy"] > 0.85
    assert student["val_ferplus_accuracy"] > 0.85


def test_fit_with_teachers_small_images_and_weights_learns_and_continues(
    tmp_path: Path, tiny_config: FitConfig, data: FerData, teacher: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(
        tiny_config,
        epochs=2,
        teachers=(teacher,),
        image_sides=((0.5, 32), (0.5, 48)),
        ferplus_balance=0.3,
        class_weights="balanced",
        mixup_alpha=0.2,
    )
    fit(config, data, tmp_path / "whole", say=quiet)

    def stop(line: str) -> None:
        if line.startswith("epoch 1:"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(config, data, tmp_path / "cut", say=stop)
    fit(config, data, tmp_path / "cut", say=quiet)

    whole, cut = (averaged_weights(tmp_path / name / LAST_FILE)[0] for name in ("whole", "cut"))
    for name in whole:
        np.testing.assert_allclose(cut[name], whole[name], rtol=1e-4, atol=1e-5, err_msg=name)
    assert [row["epoch"] for row in read_history(tmp_path / "cut")] == [1, 2]
    assert read_run(tmp_path / "cut")["data"]["teachers_sha256"] == hash_teachers([teacher])


def test_fit_resumed_with_a_changed_teacher_raises(
    tmp_path: Path, tiny_config: FitConfig, data: FerData
) -> None:
    path = tmp_path / "teacher.keras"
    build_network(tiny_config.network).save(path)
    config = replace(tiny_config, epochs=1, teachers=(str(path),))
    with pytest.raises(KeyboardInterrupt):
        fit(config, data, tmp_path / "run", say=stop_at_once)
    build_network(tiny_config.network).save(path)

    with pytest.raises(SettingsError, match="other data"):
        fit(config, data, tmp_path / "run", say=quiet)


def test_student_has_the_variables_of_the_network_alone(tiny_config: FitConfig, teacher: str) -> None:
    config = replace(tiny_config, teachers=(teacher,))
    student = compile_network(config, steps_per_epoch=4, teachers=load_teachers(config.teachers))
    alone = compile_network(tiny_config, steps_per_epoch=4)

    assert [each.path for each in student.weights] == [each.path for each in alone.weights]
    assert len(student.variables) == len(alone.variables)


def test_load_teachers_as_trained_computes_in_the_dtype_of_the_run(
    tmp_path: Path, tiny_config: FitConfig, data: FerData
) -> None:
    fit(replace(tiny_config, epochs=1, dtype_policy="mixed_bfloat16"), data, tmp_path, say=quiet)
    images = data.images[:16, ..., None].astype(np.float32)

    (exact,), (fast,) = (load_teachers([str(tmp_path)], as_trained=each) for each in (False, True))

    assert {each.compute_dtype for each in exact.layers} == {"float32"}
    assert "bfloat16" in {each.compute_dtype for each in fast.layers}
    wanted, found = exact(images), fast(images)
    for head in wanted:
        assert keras.backend.standardize_dtype(found[head].dtype) == "float32"
        assert np.ptp(wanted[head]) > 0.1
        np.testing.assert_allclose(found[head], wanted[head], atol=0.05 * np.abs(wanted[head]).max())


def test_all_batches_teachers_see_the_same_faces_at_48_pixels(tiny_config: FitConfig, data: FerData) -> None:
    config = replace(tiny_config, teachers=("any",), image_sides=((0.5, 24), (0.5, 48)))

    small, targets = next(iter(all_batches(data.split("Training"), config)))

    seen = targets[TEACHER_IMAGES].numpy()
    assert (small.shape, seen.shape) == ((16, 24, 24, 1), (16, 48, 48, 1))
    halves = seen.reshape(16, 24, 2, 24, 2).mean(axis=(2, 4))
    assert np.corrcoef(halves.ravel(), small.numpy().ravel())[0, 1] > 0.95


def test_mean_distance_is_zero_for_equal_answers_and_the_divergence_else() -> None:
    logits = np.array([[1.0, 2.0, -1.0], [0.0, 0.0, 3.0]], np.float32)
    wanted, given = np.array([[0.7, 0.3]], np.float32), np.array([[0.5, 0.5]], np.float32)

    # Keras's own constant must not matter.
    same = keras.ops.convert_to_numpy(mean_distance(logits, logits + 5, 2.0))
    found = keras.ops.convert_to_numpy(mean_distance(np.log(wanted), np.log(given), 1.0))

    assert same == pytest.approx(0, abs=1e-6)
    assert found == pytest.approx(0.7 * np.log(0.7 / 0.5) + 0.3 * np.log(0.3 / 0.5), abs=1e-6)


def test_teachers_that_are_none_raise(tmp_path: Path, tiny_config: FitConfig) -> None:
    (tmp_path / "broken.keras").write_bytes(b"x")
    image = keras.Input((48, 48, 1))
    keras.Model(image, keras.layers.Flatten()(image)).save(tmp_path / "other.keras")
    heads = {"original": 7, "ferplus": 10}
    small = keras.Input((24, 24, 1))
    flat = keras.layers.Flatten()(small)
    outputs = {name: keras.layers.Dense(size, name=name)(flat) for name, size in heads.items()}
    keras.Model(small, outputs).save(tmp_path / "small.keras")
    (tmp_path / "empty").mkdir()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text("{}")
    cases = [
        ("missing.keras", SettingsError, "is no run folder, model folder or"),
        ("broken.keras", ModelArtifactError, "cannot be opened as a Keras model"),
        ("other.keras", ModelArtifactError, "lacks the outputs"),
        ("small.keras", SettingsError, "must be a network from"),
        ("empty", ModelArtifactError, "meta.json"),
        ("run", DataError, "no finished epoch"),
    ]
    for name, error, message in cases:
        source = str(tmp_path / name)
        with pytest.raises(error, match=message):
            hash_teachers([source]) and load_teachers([source])


def test_fit_with_teachers_asked_once_learns_what_shuffled_labels_do_not_say_and_continues(
    tmp_path: Path, tiny_config: FitConfig, data: FerData, teacher: str
) -> None:
    config = replace(
        tiny_config, epochs=6, batch_size=8, teachers=(teacher,), distill_on="rows", distill_weight=1.0
    )

    def stop(line: str) -> None:
        if line.startswith("epoch 4:"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(config, shuffled(data), tmp_path / "run", say=stop)
    lines: list[str] = []
    student = fit(config, shuffled(data), tmp_path / "run", say=lines.append).last_epoch

    assert student["val_original_accuracy"] > 0.85
    assert student["val_ferplus_accuracy"] > 0.85
    assert not any("asking the teachers" in line for line in lines)
    (tmp_path / "run" / SOFT_TARGETS_FILE).write_bytes(b"PK")
    with pytest.raises(DataError, match=r"soft_targets\.npz cannot be read .* Remove it"):
        fit(config, shuffled(data), tmp_path / "run", say=quiet)


def test_ask_teachers_is_the_mean_of_teachers_and_mirror_images(tiny_config: FitConfig) -> None:
    images = np.random.default_rng(2).integers(0, 256, (5, 48, 48), np.uint8)
    one, other = build_network(tiny_config.network), build_network(tiny_config.network)

    both = ask_teachers([one, other], images, 2.0)
    mirrored = ask_teachers([one, other], images[:, :, ::-1], 2.0)

    logits = [
        each(view[..., None].astype("f")) for each in (one, other) for view in (images, images[:, :, ::-1])
    ]
    for head in ("original", "ferplus"):
        mean = np.mean([keras.ops.convert_to_numpy(each[head]) for each in logits], axis=0)
        np.testing.assert_allclose(getattr(both, head), softmax(mean / 2.0), atol=1e-5)
        np.testing.assert_allclose(getattr(both, head), getattr(mirrored, head), atol=1e-5)


def test_training_batches_blend_what_teachers_say_into_the_targets(
    tiny_config: FitConfig, data: FerData
) -> None:
    rows = data.split("Training")
    taught = SoftTargets(np.full((64, 7), 1 / 7, np.float32), np.full((64, 10), 0.1, np.float32))
    config = replace(tiny_config, teachers=("any",), distill_on="rows", distill_weight=0.7)

    _, plain = next(iter(all_batches(rows, replace(config, teachers=()))))
    _, blended = next(iter(all_batches(rows, config, taught=taught)))

    assert set(blended) == {"original", "ferplus"}
    np.testing.assert_allclose(blended["original"], 0.3 * plain["original"] + 0.1, atol=1e-6)
    np.testing.assert_allclose(blended["ferplus"], 0.3 * plain["ferplus"] + 0.07, atol=1e-6)


def test_soft_targets_of_other_rows_raise(tmp_path: Path) -> None:
    path = tmp_path / "soft_targets.npz"
    SoftTargets(np.zeros((3, 7), np.float32), np.zeros((3, 10), np.float32)).write(path)
    with pytest.raises(DataError, match=r"is not of 4 rows\. Remove it"):
        SoftTargets.read(path, 4)
