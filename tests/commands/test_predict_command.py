import csv
import json
import os
import shutil
import signal
import subprocess
import sys

import cv2
import numpy as np
import pytest
from PIL import Image

from fer_web.analysis.stills.still_formats import CSV_COLUMNS
from fer_web.commands.main import build_parser, main
from fer_web.labels import EMOTIONS
from fer_web.vision.boxes import iou_matrix
from tests.support.faces import ASTRONAUT_XYXY, astronaut_bgr, two_faces_bgr
from tests.support.servers import ROOT


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """A folder with photos, in which the commands run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos" / "deep").mkdir(parents=True)
    for name, picture in (("astronaut.png", astronaut_bgr()), ("deep/two.jpg", two_faces_bgr())):
        (tmp_path / "photos" / name).write_bytes(cv2.imencode(name[-4:], picture)[1].tobytes())
    (tmp_path / "photos" / "notes.txt").write_text("no image")
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 broken")
    (tmp_path / "nobody.png").write_bytes(
        cv2.imencode(".png", np.full((300, 300, 3), 90, np.uint8))[1].tobytes()
    )
    return tmp_path


@pytest.fixture
def predict(capsys):
    """Runs predict; returns exit status, output and errors."""

    def call(*arguments, **environment):
        status = main(["predict", *map(str, arguments)], environment)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


def json_lines(output):
    return [json.loads(line) for line in output.splitlines()]


def test_astronaut_is_happy_with_the_box_on_the_face(predict, photos):
    status, out, _ = predict("photos/astronaut.png", "--json")
    (image,) = json_lines(out)
    (face,) = image["faces"]
    assert (status, image["width"], image["height"], face["label"], face["sure"]) == (
        0,
        512,
        512,
        "happy",
        True,
    )
    assert list(face["scores"]) == list(EMOTIONS)
    assert sum(face["scores"].values()) == pytest.approx(1, abs=1e-3)
    assert face["confidence"] == max(face["scores"].values())
    left, top, width, height = face["box_px"]
    box = np.array([[left, top, left + width, top + height]], np.float32)
    assert iou_matrix(box, np.array([ASTRONAUT_XYXY], np.float32))[0, 0] > 0.6
    assert [round(part * 512) for part in face["box"]] == face["box_px"]


def test_folders_files_and_patterns_are_all_read(predict, photos):
    status, out, _ = predict("photos", "nobody.png", "--json")
    assert status == 0
    assert {line["file"]: len(line["faces"]) for line in json_lines(out)} == {
        os.path.join("photos", "astronaut.png"): 1,
        os.path.join("photos", "deep", "two.jpg"): 2,
        "nobody.png": 0,
    }
    _, out, _ = predict("photos/*.png", "photos/**/*.jpg", "--json")
    names = [os.path.basename(line["file"]) for line in json_lines(out)]
    assert names == ["astronaut.png", "two.jpg"]


def test_a_file_whose_name_is_a_pattern_is_that_file(predict, photos):
    (photos / "photos" / "astronaut.png").rename(photos / "a[1].png")
    status, out, _ = predict("a[1].png", "--json")
    assert (status, len(json_lines(out)[0]["faces"])) == (0, 1)


def test_a_bad_file_never_stops_the_others(predict, photos):
    (photos / "empty").mkdir()
    names = ["broken.jpg", "missing.png", "none*.png", "empty", "photos/notes.txt", "photos/astronaut.png"]
    status, out, err = predict(*names, "--json")
    lines = json_lines(out)
    assert (status, "Traceback" in err) == (1, False)
    assert [line["file"] for line in lines] == names
    codes = [line["error"]["code"] for line in lines[:-1]]
    assert codes == ["bad_image", "file_unreadable", "file_unreadable", "file_unreadable", "not_an_image"]
    assert all(line["error"]["message"] for line in lines[:-1])
    assert lines[-1]["faces"][0]["label"] == "happy"


def test_as_text_for_people(predict, photos):
    status, out, _ = predict("photos/astronaut.png", "nobody.png", "broken.jpg")
    assert status == 1
    assert "photos/astronaut.png: 1 face\n  happy >99 %" in out
    assert "nobody.png: no face found" in out
    assert "broken.jpg: not analysed: The JPEG" in out
    assert out.endswith("3 images, 1 of them not analysed\n")


def test_the_last_lines_say_that_all_went_well_and_what_was_written(predict, photos):
    _, out, _ = predict("photos/astronaut.png", "nobody.png", "--out", "drawn", "--csv", "faces.csv")
    assert out.endswith("2 images, all analysed\nwritten: 2 with boxes in drawn, faces.csv\n")


def test_faces_whole_takes_the_image_as_it_is_and_needs_no_detector(predict, photos, monkeypatch):
    monkeypatch.setattr("fer_web.commands.analysis_options.BLAZEFACE_PATH", photos / "missing.tflite")
    crop = cv2.resize(astronaut_bgr()[60:200, 160:290], (48, 48), interpolation=cv2.INTER_AREA)
    (photos / "crop.png").write_bytes(cv2.imencode(".png", crop)[1].tobytes())
    status, out, err = predict("crop.png", "--faces", "whole", "--json")
    (image,) = json_lines(out)
    assert (status, image["framing"], image["faces"][0]["box_px"]) == (0, "whole", [0, 0, 48, 48])
    assert image["faces"][0]["label"] == "happy"
    assert "missing" not in err


def test_an_image_turned_by_exif_has_its_box_as_seen(predict, photos):
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = np.rot90(astronaut_bgr()[:, :400], 1)[:, :, ::-1]
    Image.fromarray(np.ascontiguousarray(lying)).save(photos / "turned.jpg", exif=exif)
    _, out, _ = predict("turned.jpg", "--json")
    (image,) = json_lines(out)
    assert (image["width"], image["height"], image["faces"][0]["label"]) == (400, 512, "happy")
    assert image["faces"][0]["box_px"][1] == pytest.approx(ASTRONAUT_XYXY[1], abs=15)


def test_out_has_every_image_under_a_name_of_its_own(predict, photos):
    (photos / "photos" / "deep" / "astronaut.png").write_bytes(
        (photos / "photos" / "astronaut.png").read_bytes()
    )
    assert predict("photos", "broken.jpg", "nobody.png", "--out", "new/drawn")[0] == 1
    names = sorted(path.name for path in (photos / "new" / "drawn").iterdir())
    assert names == ["astronaut-faces-2.png", "astronaut-faces.png", "nobody-faces.png", "two-faces.jpg"]
    drawn = cv2.imread(str(photos / "new" / "drawn" / "astronaut-faces.png"))
    changed = np.abs(drawn.astype(int) - astronaut_bgr()).max(axis=2) > 60
    assert changed[60:180, 170:280].sum() > 500
    assert not changed[300:, :].any()


def test_out_in_the_same_folder_leaves_the_originals(predict, photos):
    before = (photos / "nobody.png").read_bytes()
    assert predict("nobody.png", "--out", ".")[0] == 0
    assert (photos / "nobody.png").read_bytes() == before
    assert (photos / "nobody-faces.png").is_file()


def test_csv_has_a_row_for_each_face(predict, photos):
    (photos / "=1+1.png").write_bytes((photos / "nobody.png").read_bytes())
    predict("photos/deep/two.jpg", "=1+1.png", "broken.jpg", "--csv", "faces.csv")
    with open("faces.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert [row["face"] for row in rows] == ["1", "2", "", ""]
    assert rows[0]["label"] == max(EMOTIONS, key=lambda name: float(rows[0][name]))
    assert (rows[2]["file"], rows[2]["width"], rows[2]["label"]) == ("'=1+1.png", "300", "")
    assert "damaged" in rows[3]["error"]


def test_csv_does_not_replace_a_file_unless_told(predict, photos):
    (photos / "faces.csv").write_text("precious")
    status, _, err = predict("nobody.png", "--csv", "faces.csv")
    assert (status, (photos / "faces.csv").read_text()) == (1, "precious")
    assert "--force" in err
    assert predict("nobody.png", "--csv", "faces.csv", "--force")[0] == 0
    assert (photos / "faces.csv").read_text().startswith("file,")


def test_where_nothing_can_be_written_it_is_said_in_one_line(predict, photos):
    for option in ("--out", "--csv"):
        status, _, err = predict("nobody.png", option, "nobody.png/x")
        assert (status, err.startswith("fer-web: "), "Traceback" in err) == (1, True, False)


def test_limits_are_settings(predict, photos):
    _, out, _ = predict("nobody.png", "--json", "--max-image-pixels", "80000")
    assert json_lines(out)[0]["error"]["code"] == "image_too_large"
    _, out, _ = predict("nobody.png", "--json", FER_MAX_IMAGE_PIXELS="80000")
    assert json_lines(out)[0]["error"]["code"] == "image_too_large"
    _, out, _ = predict("photos/deep/two.jpg", "--json", "--max-faces", "1")
    (two,) = json_lines(out)
    assert len(two["faces"]) == 1
    assert (two["found"], two["remarks"]) == (2, ["1 of 2 faces shown, the surest."])


def test_a_missing_model_is_said_in_one_line(predict, photos):
    status, out, err = predict("nobody.png", "--model", "nowhere")
    assert (status, out) == (1, "")
    assert err.startswith("fer-web: ")
    assert "nowhere" in err


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("x.png", "--faces", "some"),
        ("x.png", "--max-faces", "0"),
        ("x.png", "--detector", "x"),
        ("x", "--nope"),
    ],
)
def test_wrong_arguments_are_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as exit_status:
        main(["predict", *arguments], {})
    assert exit_status.value.code == 2
    assert "usage: python -m fer_web" in capsys.readouterr().err


def test_help_has_examples_and_exit_statuses(capsys):
    with pytest.raises(SystemExit):
        build_parser().parse_args(["predict", "--help"])
    text = capsys.readouterr().out
    assert "python -m fer_web predict photo.jpg" in text
    assert "exit status" in text
    for option in ("--json", "--faces", "--out", "--csv", "--model", "--detector", "--max-image-bytes"):
        assert option in text


def test_interrupted_is_status_130(predict, photos, monkeypatch):
    def interrupt(*_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("fer_web.commands.predict.read_image", interrupt)
    status, _, err = predict("nobody.png")
    assert (status, err.splitlines()[-1]) == (128 + signal.SIGINT, "fer-web: Interrupted.")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell with pipes")
def test_as_a_program_whose_reader_leaves(photos):
    names = " ".join(["photos/astronaut.png"] * 30)
    script = f'"{sys.executable}" -m fer_web predict {names} --json | head -1'
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(script, shell=True, env=environment, capture_output=True, text=True, timeout=300)
    assert json.loads(done.stdout)["faces"][0]["label"] == "happy"
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_heatmap_adds_maps_to_the_json_and_colours_to_the_images(predict, photos):
    status, out, _ = predict("photos/astronaut.png", "--heatmap", "--json", "--out", "hot")
    (face,) = json_lines(out)[0]["faces"]
    maps = {name: np.array(values) for name, values in face["heatmap"]["values"].items()}
    assert status == 0
    assert list(maps) == list(EMOTIONS)
    assert max(maps, key=lambda name: maps[name].max()) == "happy"
    status, out, _ = predict("photos/astronaut.png", "--json", "--out", "cold")
    assert "heatmap" not in json_lines(out)[0]["faces"][0]
    hot, cold = (cv2.imread(f"{folder}/astronaut-faces.png").astype(int) for folder in ("hot", "cold"))
    changed = np.abs(hot - cold).max(axis=2) > 20
    left, top, right, bottom = map(int, ASTRONAUT_XYXY)
    assert changed[top:bottom, left:right].mean() > 0.3
    changed[top - 40 : bottom + 40, left - 40 : right + 40] = False
    assert not changed.any()


def test_heatmap_without_a_place_for_it_is_refused(predict, photos):
    status, _, err = predict("photos/astronaut.png", "--heatmap")
    assert status != 0
    assert "--out" in err


def test_heatmap_of_a_model_without_any_says_why(predict, photos, tmp_path):
    folder = tmp_path / "old"
    shutil.copytree(ROOT / "models" / "flagship", folder, ignore=shutil.ignore_patterns("plots"))
    meta = json.loads((folder / "meta.json").read_text())
    del meta["outputs"]["cam"]
    (folder / "meta.json").write_text(json.dumps(meta))
    status, _, err = predict("photos/astronaut.png", "--heatmap", "--json", "--model", folder)
    assert status != 0
    assert "exported without heat maps" in err
    assert predict("photos/astronaut.png", "--json", "--model", folder)[0] == 0
