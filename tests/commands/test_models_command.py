"""models list and models check: what is read, guessed, measured and suggested."""

import json
import shlex

import numpy as np
import pytest

from fer_web.analysis.folders.model_trial import Fit, LabelledCrops, better_fit, fits_by_accuracy, search_fits
from fer_web.commands.main import build_parser, main
from fer_web.inference.models import options_of
from fer_web.labels import CONTEMPT, EMOTIONS
from fer_web.settings import ROOT, settings_from
from tests.support import custom_networks as networks
from tests.support.documents import commands_of
from tests.support.fer_rows import KERAS_WARNINGS
from tests.support.labelled_folders import write_rows

pytestmark = KERAS_WARNINGS
ALPHABET = tuple(sorted(EMOTIONS))


@pytest.fixture
def run(capsys):
    """Runs a command of models; returns exit status, output and errors."""

    def call(*arguments):
        capsys.readouterr()  # converters print
        status = main(["models", *map(str, arguments)], {})
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


def test_list_shows_the_figures_of_meta_json(run):
    meta = json.loads((ROOT / "models" / "flagship" / "meta.json").read_text())
    status, out, _ = run("list", "--json")
    (row,) = json.loads(out)
    assert (status, row["folder"], row["parameters"]) == (0, "models/flagship", meta["parameters"])
    assert row["accuracy_ferplus"] == meta["metrics"]["ferplus"]["accuracy"]
    assert f"{100 * row['accuracy_original']:.1f} % of the original labels" in run("list")[1]


def test_check_says_what_was_read_and_guessed_and_times_both(run, tmp_path):
    path = networks.save_keras(networks.xception_64(), tmp_path)
    status, out, _ = run("check", path, "--json")
    report = json.loads(out)
    assert status == 0
    assert (report["size_hw"], report["scaling"], report["output"]) == ([64, 64], "-1..1", "softmax")
    assert report["labels"] == list(EMOTIONS)
    assert any("--labels" in text for text in report["warnings"])
    assert min(report["time_ms"].values()) > 0
    assert sum(report["face"].values()) == pytest.approx(1, abs=1e-3)
    assert report["folder"] is None


def network_that_knows(data, order):
    """One linear layer that names these images (0..1), its outputs in `order`."""
    pixels = data.images.reshape(len(data.images), -1) / 255
    known = [EMOTIONS[label] in order for label in data.emotion]
    pixels, emotion = pixels[known], data.emotion[known]
    wanted = np.eye(len(order))[[order.index(EMOTIONS[label]) for label in emotion]]
    kernel = np.linalg.lstsq(pixels, wanted, rcond=None)[0]
    layers = networks.layers
    model = networks.keras.Sequential(
        [networks.keras.Input((48, 48, 1)), layers.Flatten(), layers.Dense(len(order), use_bias=False)]
    )
    model.layers[-1].set_weights([kernel])
    return model


def test_check_with_a_folder_gives_the_accuracy_of_test_folder_and_finds_the_order(run, capsys, tmp_path):
    data = write_rows(tmp_path / "rows", 70)
    path = networks.save_tflite(network_that_knows(data, ALPHABET), tmp_path)
    options = (path, "--folder", tmp_path / "rows", "--faces", "whole")
    status, out, _ = run("check", *options, "--json")
    report = json.loads(out)
    assert (status, report["folder"]["faces"]) == (0, 70)
    main(["test-folder", str(tmp_path / "rows"), "--faces", "whole", "--json", "--model", str(path)], {})
    assert report["folder"]["accuracy"] == json.loads(capsys.readouterr().out)["accuracy"] < 0.8
    best = {"scaling": "0..1", "labels": list(ALPHABET), "accuracy": 1.0}
    assert report["better"] == {**best, "colour": "grey", "crop": "fer2013"}
    assert report["tried"][0] == report["better"]
    assert report["command"] == f"python app.py --model {path} --scaling 0..1 --labels {','.join(ALPHABET)}"
    assert (
        f"100.0 % of these faces with --scaling 0..1 --labels {','.join(ALPHABET)}"
        in run("check", *options)[1]
    )
    again = json.loads(run("check", *options, "--labels", ",".join(ALPHABET), "--json")[1])
    assert (again["folder"]["accuracy"], again["better"]) == (1.0, None)


def test_check_of_a_network_of_five_finds_its_order_and_tells_what_is_missing(run, tmp_path):
    data = write_rows(tmp_path / "rows", 70)
    order = ("happy", "sad", "neutral", "angry", "surprise")
    path = networks.save_tflite(network_that_knows(data, order), tmp_path)
    options = (path, "--folder", tmp_path / "rows", "--faces", "whole")
    report = json.loads(run("check", *options, "--json")[1])
    assert report["better"]["labels"] == list(order)
    right = np.mean([EMOTIONS[label] in order for label in data.emotion])
    assert report["better"]["accuracy"] == pytest.approx(right, abs=0.02)
    assert "--labels happy,sad,neutral,angry,surprise" in report["command"]
    text = run("check", *options, "--labels", ",".join(order))[1]
    assert "missing   disgust, fear: no face is ever called that" in text
    assert run("check", path)[0] == 1  # without a folder nobody can tell


def test_check_calibrates_the_confidence_on_a_folder_and_the_command_has_it(run, tmp_path):
    data = write_rows(tmp_path / "rows", 140)
    path = networks.save_tflite(network_that_guesses(data), tmp_path)
    options = (path, "--folder", tmp_path / "rows", "--faces", "whole", "--labels", ",".join(EMOTIONS))
    report = json.loads(run("check", *options, "--calibrate", "--json")[1])
    found = report["calibration"]
    assert found["ece_after"] < found["ece_before"] - 0.05
    assert found["nll_after"] < found["nll_before"]
    assert f"--temperature {found['temperature']:.3f}" in report["command"]
    text = run("check", *options, "--calibrate")[1]
    assert "before and" in text
    again = json.loads(run("check", *options, "--temperature", f"{found['temperature']:.3f}", "--json")[1])
    assert again["is_calibrated"]
    assert not any("not calibrated" in each for each in again["warnings"])


def network_that_guesses(data):
    """As `network_that_knows`, with noise and far too sure."""
    model = network_that_knows(data, EMOTIONS)
    (kernel,) = model.layers[-1].get_weights()
    noise = np.random.default_rng(1).normal(0, 2.0 * kernel.std(), kernel.shape)
    model.layers[-1].set_weights([12 * (kernel + noise)])
    return model


@pytest.mark.parametrize("options", [[], ["--folder", "rows"]])
def test_calibration_refuses_what_it_cannot_do(run, tmp_path, monkeypatch, options):
    write_rows(tmp_path / "rows", 14)
    monkeypatch.chdir(tmp_path)
    status, _, err = run("check", ROOT / "models/flagship", "--faces", "whole", "--calibrate", *options)
    assert (status, err.count("\n")) == (1, 1)


def test_check_of_ours_as_text(run, tmp_path):
    write_rows(tmp_path / "rows", 14)
    status, out, _ = run("check", "models/flagship", "--folder", tmp_path / "rows", "--faces", "whole")
    assert status == 0
    assert "48 x 48 pixels, 1 channels" in out
    assert "of 14 faces" in out
    assert "better    not tried" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing.keras"], "cannot be read"),
        (["models/flagship", "--scaling", "0..1"], "says itself how it is to be run"),
        (["models/flagship", "--labels", "angry,bored"], "'bored' is no expression"),
        (["models/flagship", "--folder", "nowhere"], "is no folder"),
    ],
)
def test_check_refuses_in_one_line(run, arguments, words):
    status, out, err = run("check", *arguments)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert words in err


def test_the_commands_of_the_documents_are_understood():
    lines = commands_of("docs/files.md", "Custom models")
    check, server = (shlex.split(line, comments=True) for line in lines)
    assert check[:3] == [".venv/bin/python", "-m", "fer_web"]
    assert str(build_parser().parse_args(check[3:]).folder) == "photos"
    assert server[:2] == [".venv/bin/python", "app.py"]
    assert options_of(settings_from(server[2:], {})).labels == ALPHABET


def faces_of(truth):
    """One-pixel faces that hold their label."""
    truth = np.asarray(truth)
    return LabelledCrops(truth.astype(np.uint8).reshape(-1, 1, 1, 1), truth, 0, 0)


def outputs_in_order(order, right_scaling):
    """A network that knows each label, its outputs in `order`, where it is fed rightly; else the first."""

    def outputs(crops, scaling, colour):
        rows = np.zeros((len(crops), len(order)), np.float32)
        for row, label in enumerate(crops.ravel()):
            rows[row, order.index(EMOTIONS[label]) if scaling == right_scaling else 0] = 1
        return rows

    return outputs


@pytest.mark.parametrize("order", [ALPHABET, ("neutral", CONTEMPT, *EMOTIONS[:6])])
def test_fits_finds_the_order_and_the_scaling(order):
    faces = faces_of(list(range(7)) * 20)
    guessed = EMOTIONS if len(order) == 7 else (*EMOTIONS, CONTEMPT)
    fits = fits_by_accuracy(outputs_in_order(order, "-1..1"), guessed, ["0..1", "-1..1"], faces)
    assert fits[0] == Fit("-1..1", order, 1.0)
    used = next(fit for fit in fits if fit.scaling == "0..1" and fit.labels == guessed)
    assert better_fit(fits, used, 140) == fits[0]
    assert better_fit(fits, used, 49) is None
    assert better_fit(fits, fits[0], 140) is None


def test_search_finds_the_colour_and_the_crop():
    truth = np.array(list(range(7)) * 20)
    crops = truth.astype(np.uint8).reshape(-1, 1, 1, 1)
    faces = LabelledCrops(0 * crops, truth, 0, 0, {"tight": crops, "fer2013": 0 * crops, "margin": 0 * crops})

    def outputs(given, scaling, colour):
        is_right = scaling == "imagenet" and colour == "bgr"
        return np.eye(7, dtype=np.float32)[given.ravel() if is_right else 0 * given.ravel()]

    used = Fit("0..1", EMOTIONS, 0.0)
    fits = search_fits(outputs, used, ["0..1", "imagenet"], ["grey", "rgb", "bgr"], faces)
    assert max(fit.accuracy for fit in fits) < 0.2  # neither alone does better, so nothing is known

    def other(given, scaling, colour):
        answers = np.eye(7, dtype=np.float32)[given.ravel()]
        is_right = scaling == "imagenet" and colour == "bgr"
        return answers if is_right else np.where(given.ravel()[:, None] < 3, answers, np.eye(7)[0])

    best = search_fits(other, used, ["0..1", "imagenet"], ["grey", "rgb", "bgr"], faces)[0]
    assert (best.scaling, best.colour, best.crop, best.accuracy) == ("imagenet", "bgr", "tight", 1.0)


def test_better_fit_changes_no_more_than_it_must():
    used = Fit("0..1", EMOTIONS, 0.2)
    both, one = Fit("-1..1", ALPHABET, 0.705), Fit("-1..1", EMOTIONS, 0.70)
    assert better_fit([both, one, used], used, 500) == one
