import json

import numpy as np
import pytest
from PIL import Image
from scipy.special import softmax

from fer_web.commands.main import build_parser, main
from fer_web.inference.artifact import load_artifact
from fer_web.settings import Settings
from tests.support.faces import astronaut_bgr
from tests.support.labelled_folders import write_folder, write_rows
from train.runs.model_outputs import predict


@pytest.fixture
def run(capsys):
    """Runs test-folder; returns exit status, output and errors."""

    def call(*arguments, **environment):
        status = main(["test-folder", *map(str, arguments)], environment)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


def mean_log(scores):
    return np.mean([np.log(each) for each in scores], axis=0)


def test_whole_gives_both_accuracies_of_train(run, tmp_path):
    data = write_rows(
        tmp_path / "rows", 70, names=("Anger", "disgust", "fear", "happiness", "SAD", "surprised", "neutral")
    )
    # As the pages do, from a face and its mirror image.
    views = [predict(Settings().model, images) for images in (data.images, data.images[:, :, ::-1])]
    shown = mean_log(view.scaling.apply(view.logits.ferplus) for view in views).argmax(axis=1)
    original = mean_log(softmax(view.logits.original, axis=1) for view in views)
    status, out, _ = run(tmp_path / "rows", "--faces", "whole", "--json")
    report = json.loads(out)
    assert status == 0
    assert report["accuracy"] == pytest.approx(np.mean(shown == data.emotion))
    assert report["accuracy_original"] == pytest.approx(np.mean(original.argmax(axis=1) == data.emotion))
    assert report["framing"] == {"whole": 70}
    assert (report["model"]["name"], report["detector"]) == (load_artifact(Settings().model).name, None)


def test_photos_are_searched_for_faces(run, tmp_path):
    (tmp_path / "happy").mkdir()
    (tmp_path / "sad").mkdir()
    Image.fromarray(astronaut_bgr()[:, :, ::-1]).save(tmp_path / "happy" / "astronaut.jpg")
    Image.fromarray(astronaut_bgr()[:, :, ::-1]).save(tmp_path / "sad" / "mislabelled.jpg")
    Image.new("RGB", (300, 200), "grey").save(tmp_path / "sad" / "nobody.png")
    status, out, _ = run(tmp_path, "--json")
    report = json.loads(out)
    assert (status, report["accuracy"], report["scored"]) == (0, 0.5, 2)
    assert report["no_face"]["count"] == 1
    (mistake,) = report["mistakes"]
    assert (mistake["expression"], mistake["label"]) == ("sad", "happy")
    assert mistake["file"].endswith("mislabelled.jpg")
    assert report["framing"] == {"detect": 3}


def test_as_text_with_files(run, tmp_path):
    write_rows(tmp_path / "rows", 70)
    status, out, _ = run(tmp_path / "rows", "--out", tmp_path / "report")
    assert status == 0
    assert "accuracy_original" in out
    assert "FER-2013's own labels" in out
    assert "written: " in out
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    assert (tmp_path / "report" / "report.txt").read_text() in out
    for name in ("confusion.png", "mistakes.png"):
        with Image.open(tmp_path / "report" / name) as picture:
            picture.load()
    assert report["images"] == 70


def test_limit_takes_the_same_images_each_time(run, tmp_path):
    write_rows(tmp_path / "rows", 70)
    first, second = (json.loads(run(tmp_path / "rows", "--limit", 20, "--json")[1]) for _ in range(2))
    assert first == second
    assert first["images"] == 20
    assert sum(each["count"] > 0 for each in first["shown"]["classes"].values()) > 3
    assert json.loads(run(tmp_path / "rows", "--limit", 1000, "--json")[1])["images"] == 70


def test_unreadable_files_are_listed_and_make_the_status_1(run, tmp_path):
    write_rows(tmp_path, 7)
    (tmp_path / "happy" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    status, out, _ = run(tmp_path, "--json")
    report = json.loads(out)
    assert (status, report["scored"]) == (1, 7)
    assert report["unreadable"][0]["file"].endswith("broken.png")
    assert report["unreadable"][0]["error"]["code"] == "bad_image"


def test_nothing_that_can_be_scored_is_status_1(run, tmp_path):
    write_folder(tmp_path, np.zeros((2, 48, 48), np.uint8), [0, 0], names=["contempt"])
    status, out, _ = run(tmp_path)
    assert status == 1
    assert "no image could be scored" in out
    assert "counted apart" in out


def test_an_unknown_folder_is_said_in_one_line(run, tmp_path):
    (tmp_path / "grumpy").mkdir()
    status, out, err = run(tmp_path)
    assert (status, out) == (1, "")
    assert err.startswith("fer-web: ")
    assert "grumpy names no expression; allowed" in err


@pytest.mark.parametrize("arguments", [(), ("x", "--limit", "0"), ("x", "--faces", "none"), ("x", "y")])
def test_wrong_arguments_are_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as exit_status:
        main(["test-folder", *arguments], {})
    assert exit_status.value.code == 2
    assert "usage: python -m fer_web" in capsys.readouterr().err


def test_help_has_examples_and_exit_statuses(capsys):
    with pytest.raises(SystemExit):
        build_parser().parse_args(["test-folder", "--help"])
    text = capsys.readouterr().out
    assert "python -m fer_web test-folder photos" in text
    assert "exit status" in text
    for option in ("--json", "--faces", "--out", "--limit", "--model"):
        assert option in text
