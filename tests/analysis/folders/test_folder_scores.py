import json

import numpy as np
import pytest
from PIL import Image
from sklearn import metrics as reference

from fer_web.analysis.folders.folder_report import describe_folder, write_folder_report
from fer_web.analysis.folders.folder_scores import (
    MAX_MISTAKES,
    ImagePrediction,
    predict_images,
    score_folder,
    worst_mistakes,
)
from fer_web.analysis.folders.labelled_images import LabelledImage, find_labelled_images
from fer_web.analysis.stills.images import ImageLimits
from fer_web.analysis.stills.stills import StillAnalyser
from fer_web.errors import ImageError
from fer_web.inference.models import open_model
from fer_web.labels import EMOTIONS
from fer_web.settings import Settings
from tests.support.fakes.stills import FixedDetector, MeanClassifier
from tests.support.labelled_folders import write_folder, write_rows
from train.runs.model_outputs import predict

LIMITS = ImageLimits(10**6, 10**6)
CROP = np.zeros((48, 48, 1), np.uint8)


def prediction(expression, label, confidence=0.9, original="neutral", name="x.png", **more):
    image = LabelledImage(type(Settings().model)(name), expression)
    return ImagePrediction(
        image, faces=1, framing="whole", label=label, confidence=confidence, is_sure=confidence > 0.5,
        original_label=original, crop=CROP, **more,
    )  # fmt: skip


def random_verdicts(count=300):
    rng = np.random.default_rng(4)
    truth = rng.integers(0, 7, count)
    shown = np.where(rng.random(count) < 0.7, truth, rng.integers(0, 7, count))
    original = np.where(rng.random(count) < 0.5, truth, rng.integers(0, 6, count))
    rows = zip(truth, shown, original, rng.random(count), strict=True)
    predictions = [prediction(EMOTIONS[t], EMOTIONS[s], float(c), EMOTIONS[o]) for t, s, o, c in rows]
    return predictions, truth, shown, original


def report_of(predictions):
    made = {
        "folder": "photos",
        "model": {"name": "tiny", "sha256": "0" * 64},
        "detector": None,
        "faces": "whole",
    }
    return {**made, "skipped": 0, **score_folder(predictions)}


def test_scores_of_both_heads_agree_with_scikit_learn():
    predictions, truth, shown, original = random_verdicts()
    report = score_folder(predictions)
    for key, accuracy, said in (
        ("shown", "accuracy", shown),
        ("original", "accuracy_original", original),
    ):
        expected = reference.classification_report(
            truth, said, labels=range(7), target_names=EMOTIONS, output_dict=True, zero_division=0
        )
        assert report[accuracy] == pytest.approx(np.mean(truth == said))
        np.testing.assert_array_equal(
            report[key]["confusion"], reference.confusion_matrix(truth, said, labels=range(7))
        )
        assert report[key]["macro_f1"] == pytest.approx(expected["macro avg"]["f1-score"])
        assert report[key]["weighted_f1"] == pytest.approx(expected["weighted avg"]["f1-score"])
        for name in EMOTIONS:
            ours, theirs = report[key]["classes"][name], expected[name]
            assert ours["precision"] == pytest.approx(theirs["precision"])
            assert ours["recall"] == pytest.approx(theirs["recall"])
            assert ours["f1"] == pytest.approx(theirs["f1-score"])
            assert ours["count"] == theirs["support"]
    low, high = report["interval_95"]
    assert low < report["accuracy"] < high
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(0.74 * 0.26 / 300), rel=0.1)


def test_report_is_plain_json():
    report = report_of(random_verdicts()[0])
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    empty = report_of([])
    assert json.loads(json.dumps(empty, allow_nan=False)) == empty
    assert (empty["accuracy"], empty["accuracy_original"]) == (None, None)


def test_no_face_counts_neither_as_right_nor_as_wrong():
    missed = ImagePrediction(LabelledImage(Settings().model / "far.png", "sad"), framing="detect")
    report = report_of([prediction("happy", "happy"), prediction("sad", "happy"), missed, missed])
    assert (report["images"], report["scored"], report["accuracy"]) == (4, 2, 0.5)
    assert (report["no_face"]["count"], report["no_face"]["expressions"]) == (2, {"sad": 2})
    assert report["no_face"]["files"] == [str(Settings().model / "far.png")] * 2
    assert "no face found in 2 images" in describe_folder(report)
    assert "neither as right nor as wrong" in describe_folder(report)


def test_what_an_output_for_contempt_says_is_counted():
    known = [prediction("contempt", "sad", says_contempt=each) for each in (True, True, False)]
    report = report_of(known)
    assert report["contempt"]["said"] == 2
    assert "its output for contempt is the strongest in 2 of them" in describe_folder(report)


def test_contempt_is_counted_apart():
    report = report_of(
        [
            prediction("happy", "happy"),
            prediction("contempt", "neutral"),
            prediction("contempt", "happy", 0.3),
        ]
    )
    assert (report["scored"], report["accuracy"]) == (1, 1.0)
    assert report["contempt"] == {"count": 2, "labels": {"neutral": 1, "happy": 1}, "unsure": 1, "said": None}
    assert "contempt: not one of the model's seven" in describe_folder(report)
    assert report["mistakes"] == []


def test_unreadable_files_are_listed_and_not_scored():
    broken = ImagePrediction(
        LabelledImage(Settings().model / "bad.png", "sad"), error=ImageError("It is cut short.")
    )
    report = report_of([prediction("happy", "happy"), broken])
    assert (report["images"], report["scored"], report["accuracy"]) == (2, 1, 1.0)
    (listed,) = report["unreadable"]
    assert listed["error"] == {"code": "bad_image", "message": "It is cut short."}
    assert "bad.png: It is cut short." in describe_folder(report)


def test_a_model_with_one_output_has_no_original_accuracy():
    report = report_of([prediction("happy", "happy", original=None)])
    assert (report["accuracy_original"], report["original"]) == (None, None)
    assert "no second output" in report["difference"]
    assert "accuracy_original " not in describe_folder(report).replace(report["difference"], "")


def test_sure_labels_are_scored_apart():
    report = report_of(
        [prediction("happy", "happy", 0.9), prediction("sad", "happy", 0.9), prediction("sad", "happy", 0.4)]
    )
    assert report["sure"] == {"count": 2, "share": pytest.approx(2 / 3), "accuracy": 0.5}


def test_worst_mistakes_are_the_most_confident_wrong_ones():
    predictions = random_verdicts()[0]
    worst = worst_mistakes(predictions)
    assert len(worst) == min(MAX_MISTAKES, sum(not each.is_right for each in predictions))
    confidences = [each.confidence for each in worst]
    assert confidences == sorted(confidences, reverse=True)
    assert not any(each.is_right for each in worst)
    left_out = [each.confidence for each in predictions if not each.is_right and each not in worst]
    assert max(left_out, default=0) <= min(confidences)


def test_text_has_intervals_classes_confusions_and_the_difference():
    report = report_of(random_verdicts()[0])
    text = describe_folder(report)
    assert report["difference"] in text
    assert f"{100 * report['accuracy']:.1f} %" in text
    assert f"{100 * report['accuracy_original']:.1f} %" in text
    for name in EMOTIONS:
        assert text.count(f"\n  {name} ") == 4
    row = report["shown"]["confusion"][EMOTIONS.index("happy")]
    lines = [line.split() for line in text.splitlines() if line.startswith("  happy ")]
    assert ["happy", *map(str, row)] in lines


def test_write_folder_report_writes_text_json_and_pictures(tmp_path):
    predictions = random_verdicts()[0]
    report = report_of(predictions)
    paths = write_folder_report(tmp_path / "new" / "report", report, predictions)
    assert [path.name for path in paths] == ["report.json", "report.txt", "confusion.png", "mistakes.png"]
    assert json.loads(paths[0].read_text()) == report
    assert paths[1].read_text() == describe_folder(report) + "\n"
    for path in paths[2:]:
        with Image.open(path) as picture:
            assert picture.size > (300, 300)


def test_without_mistakes_there_is_no_contact_sheet(tmp_path):
    predictions = [prediction("happy", "happy")]
    names = [path.name for path in write_folder_report(tmp_path, report_of(predictions), predictions)]
    assert names == ["report.json", "report.txt", "confusion.png"]


def test_contact_sheet_shows_each_mistake_where_it_belongs(tmp_path):
    levels = (40, 120, 200)
    predictions = [
        ImagePrediction(
            LabelledImage(tmp_path / f"{'very long name ' * 5}{level}.png", "sad"), faces=1, label="happy",
            confidence=0.9 - level / 1000, crop=np.full((48, 48, channels), level, np.uint8),
        )
        for level, channels in zip(levels, (1, 3, 1), strict=True)
    ]  # fmt: skip
    write_folder_report(tmp_path / "out", report_of(predictions), predictions)
    with Image.open(tmp_path / "out" / "mistakes.png") as picture:
        sheet = np.asarray(picture.convert("L"))
    assert [sheet[70, 70 + 130 * column] for column in range(3)] == list(levels)


def test_judge_images_goes_on_after_files_that_cannot_be_read(tmp_path):
    write_rows(tmp_path, 70)
    (tmp_path / "happy" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    (tmp_path / "happy" / "empty.png").write_bytes(b"")
    analyser = StillAnalyser(MeanClassifier(), None, 5)
    images = find_labelled_images(tmp_path).images
    seen = []

    def watch(items):
        for item in items:
            seen.append(item)
            yield item

    predictions = list(predict_images(images, analyser, LIMITS, "whole", watch))
    assert sorted(each.image.path for each in predictions) == sorted(image.path for image in images)
    assert tuple(seen) == images
    errors = {each.image.path.name: each.error.code for each in predictions if each.error}
    assert errors == {"broken.png": "bad_image", "empty.png": "empty_image"}


def test_judge_images_of_several_faces_takes_the_largest(tmp_path):
    image = np.full((48, 96), 40, np.uint8)
    image[:, 48:] = 100
    write_folder(tmp_path, [image], [0])
    analyser = StillAnalyser(MeanClassifier(), FixedDetector((10, 10, 20, 20), (58, 5, 90, 40)), 5)
    (found,) = predict_images(find_labelled_images(tmp_path).images, analyser, LIMITS, "detect")
    assert (found.faces, found.label) == (2, EMOTIONS[3])
    assert report_of([found])["several_faces"] == 1


def test_whole_scores_are_those_of_train_on_the_same_pixels(tmp_path):
    data = write_rows(tmp_path, 140)
    model = Settings().model
    views = [predict(model, images) for images in (data.images, data.images[:, :, ::-1])]
    ferplus = np.mean([view.logits.ferplus for view in views], axis=0)
    shown = views[0].scaling.apply(ferplus).argmax(axis=1)
    original = np.mean([view.logits.original for view in views], axis=0).argmax(axis=1)
    analyser = StillAnalyser(open_model(model).new_classifier(), None, 5)
    predictions = list(predict_images(find_labelled_images(tmp_path).images, analyser, LIMITS, "whole"))
    for each in predictions:
        row = int(each.image.path.stem)
        assert each.label == EMOTIONS[shown[row]]
        assert each.original_label == EMOTIONS[original[row]]
    report = score_folder(predictions)
    assert report["accuracy"] == pytest.approx(np.mean(shown == data.emotion))
    assert report["accuracy_original"] == pytest.approx(np.mean(original == data.emotion))
