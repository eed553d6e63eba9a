import cv2
import numpy as np
import pytest

from fer_web.analysis.stills.still_formats import describe_still, still_to_wire
from fer_web.analysis.stills.stills import FACES, SMALL_SIDE, StillAnalyser
from fer_web.errors import InvalidValueError
from fer_web.inference.classifier import Prediction
from fer_web.inference.models import open_model
from fer_web.labels import EMOTIONS
from fer_web.settings import Settings
from fer_web.vendor_files import BLAZEFACE_PATH
from fer_web.vision.boxes import iou_matrix
from fer_web.vision.faces import build_detector
from tests.support.faces import ASTRONAUT_XYXY, astronaut_bgr, two_faces_bgr
from tests.support.fakes.stills import FixedDetector, LeftClassifier, MeanClassifier


def grey(level, height=200, width=400):
    return np.full((height, width, 3), level, np.uint8)


@pytest.fixture(scope="module")
def shipped():
    settings = Settings()
    detector = build_detector("blazeface", BLAZEFACE_PATH)
    return StillAnalyser(open_model(settings.model).new_classifier(), detector, settings.max_faces)


def test_astronaut_is_happy_with_the_box_on_the_face(shipped):
    result = shipped.analyse(astronaut_bgr())
    (face,) = result.faces
    assert (face.label, face.is_sure, result.framing) == ("happy", True, "detect")
    left, top, width, height = (part * 512 for part in face.box)
    box = np.array([[left, top, left + width, top + height]], np.float32)
    assert iou_matrix(box, np.array([ASTRONAUT_XYXY], np.float32))[0, 0] > 0.6
    assert EMOTIONS[int(np.argmax(result.original_scores[0]))] == "happy"


def test_two_faces_have_numbers_and_boxes_of_their_own(shipped):
    result = shipped.analyse(two_faces_bgr())
    assert [face.face_id for face in result.faces] == [1, 2]
    left, right = sorted(result.faces, key=lambda face: face.box[0])
    assert (left.label, right.label != "happy") == ("happy", True)
    assert left.box[0] + left.box[2] < right.box[0]


def test_a_second_image_remembers_nothing_of_the_first(shipped):
    first = shipped.analyse(astronaut_bgr())
    shipped.analyse(two_faces_bgr())
    again = shipped.analyse(astronaut_bgr())
    assert again.faces == first.faces


def test_auto_takes_a_face_that_was_cut_out_as_a_whole(shipped):
    left, top, right, bottom = map(int, ASTRONAUT_XYXY)
    crop = astronaut_bgr()[top - 20 : bottom + 10, left - 15 : right + 15]
    result = shipped.analyse(crop)
    (face,) = result.faces
    assert (result.framing, face.box, face.label) == ("whole", (0, 0, 1, 1), "happy")
    assert "fills it" in result.reason


@pytest.mark.parametrize(
    ("side", "framing"), [(48, "whole"), (SMALL_SIDE, "whole"), (SMALL_SIDE + 1, "detect")]
)
def test_auto_takes_small_images_as_a_whole_without_searching(side, framing):
    result = StillAnalyser(MeanClassifier(), FixedDetector((1, 1, 9, 9)), 5).analyse(
        grey(100, side, side), "auto"
    )
    assert result.framing == framing
    assert result.reason


@pytest.mark.parametrize(
    ("boxes", "framing"),
    [
        ([(100, 40, 280, 200)], "detect"),  # fills the height of a wide photo, but not the photo
        ([(10, 0, 390, 200)], "whole"),
        ([(10, 0, 390, 200), (0, 0, 40, 40)], "detect"),
        ([], "detect"),
    ],
)
def test_auto_takes_the_whole_image_only_where_one_face_fills_it(boxes, framing):
    analyser = StillAnalyser(MeanClassifier(), FixedDetector(*boxes), 5)
    assert analyser.analyse(grey(100), "auto").framing == framing


def test_detect_and_whole_do_as_they_are_told():
    analyser = StillAnalyser(MeanClassifier(), FixedDetector((10, 0, 390, 200)), 5)
    assert analyser.analyse(grey(100), "detect").framing == "detect"
    assert analyser.analyse(grey(100, 900, 900), "whole").faces[0].box == (0, 0, 1, 1)


def test_boxes_are_fractions_and_the_surest_faces_are_kept():
    boxes = [(0, 0, 40, 40), (100, 50, 300, 150), (0, 0, 9, 9)]
    result = StillAnalyser(MeanClassifier(), FixedDetector(*boxes), 2).analyse(grey(100), "detect")
    assert [face.box for face in result.faces] == [
        pytest.approx((0, 0, 0.1, 0.2)),
        pytest.approx((0.25, 0.25, 0.5, 0.5)),
    ]
    assert result.found == 3
    assert still_to_wire(result, ("odd",))["remarks"] == ["odd", "2 of 3 faces shown, the surest."]
    assert describe_still("a.png", result).endswith("\n  remark: 2 of 3 faces shown, the surest.")
    assert result.largest == 1


def test_no_face_is_a_result_without_faces():
    result = StillAnalyser(MeanClassifier(), FixedDetector(), 5).analyse(grey(100))
    assert (result.faces, result.original_scores, result.size_hw) == ((), (), (200, 400))


def test_whole_crop_of_the_models_size_comes_through_unchanged():
    classifier = MeanClassifier()
    image = np.random.default_rng(0).integers(0, 256, (48, 48), np.uint8)
    StillAnalyser(classifier, None, 5).analyse(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), "whole")
    np.testing.assert_array_equal(classifier.calls[0][0, :, :, 0], image)


def test_whole_averages_where_it_shrinks_as_the_training_data_was_made():
    classifier = MeanClassifier()
    fine = np.random.default_rng(0).integers(0, 256, (48, 48), np.uint8)
    large = np.repeat(np.repeat(fine, 4, axis=0), 4, axis=1)
    StillAnalyser(classifier, None, 5).analyse(cv2.cvtColor(large, cv2.COLOR_GRAY2BGR), "whole")
    np.testing.assert_array_equal(classifier.calls[0][0, :, :, 0], fine)


def test_whole_keeps_the_shape_of_faces_that_are_not_square():
    classifier = MeanClassifier()
    image = np.zeros((96, 48, 3), np.uint8)
    image[:, 24:] = 255
    StillAnalyser(classifier, None, 5).analyse(image, "whole")
    crop = classifier.calls[0][0, :, :, 0]
    assert (crop[:, :23] == 0).all()
    assert (crop[:, 25:] == 255).all()


@pytest.mark.parametrize("shape", [(1, 60_000), (60_000, 1), (1, 1), (3, 5000)])
@pytest.mark.parametrize("faces", FACES)
def test_images_of_any_shape_are_analysed_within_bounded_memory(shipped, shape, faces):
    result = shipped.analyse(grey(100, *shape), faces)
    assert result.size_hw == shape


def test_judge_classifies_several_images_in_one_call():
    classifier = MeanClassifier()
    analyser = StillAnalyser(classifier, FixedDetector((0, 0, 50, 50), (60, 60, 90, 90)), 5)
    none = StillAnalyser(classifier, FixedDetector(), 5)
    prepared = [
        analyser.prepare(grey(40), "detect"),
        none.prepare(grey(40), "detect"),
        analyser.prepare(grey(100), "whole"),
        analyser.prepare(grey(160), "detect"),
    ]
    results = analyser.predict(prepared)
    assert len(classifier.calls) == 1
    labels = [[face.label for face in result.faces] for result in results]
    assert labels == [[EMOTIONS[1]] * 2, [], [EMOTIONS[3]], [EMOTIONS[5]] * 2]
    assert analyser.predict([]) == []


def test_original_scores_are_those_of_the_same_face():
    result = StillAnalyser(MeanClassifier(), None, 5).analyse(grey(40), "whole")
    assert result.original_scores[0] == pytest.approx(result.faces[0].scores[::-1])
    alone = StillAnalyser(MeanClassifier(has_original=False), None, 5).analyse(grey(40), "whole")
    assert alone.original_scores is None


@pytest.mark.parametrize(("size_hw", "channels"), [((64, 64), 1), ((96, 80), 3)])
def test_crops_have_the_form_that_the_model_takes(size_hw, channels):
    classifier = MeanClassifier(size_hw=size_hw, channels=channels)
    analyser = StillAnalyser(classifier, FixedDetector((0, 0, 50, 50)), 5)
    for faces in ("detect", "whole"):
        assert analyser.analyse(grey(40), faces).crops.shape == (1, *size_hw, channels)


def test_an_unknown_way_or_a_missing_detector_is_said():
    analyser = StillAnalyser(MeanClassifier(), None, 5)
    with pytest.raises(InvalidValueError, match="auto, detect, whole"):
        analyser.analyse(grey(1), "all")
    with pytest.raises(InvalidValueError, match="no face detector"):
        analyser.analyse(grey(1), "detect")


def test_heat_maps_come_when_they_are_asked_for():
    analyser = StillAnalyser(LeftClassifier(), FixedDetector((100, 50, 200, 150)), 5)
    assert analyser.analyse(grey(100), "detect").faces[0].heatmap is None
    heatmap = analyser.analyse(grey(100), "detect", heatmaps=True).faces[0].heatmap
    assert (heatmap.side, heatmap.method, heatmap.values[0]) == (2, "cam", (255, 0, 255, 0))
    # The box is 100 pixels wide; the square that the network sees 117, its middle 40 % down the box.
    corners = np.array(heatmap.corners) * (400, 200)
    np.testing.assert_allclose(
        corners, [(91.5, 31.5), (208.5, 31.5), (208.5, 148.5), (91.5, 148.5)], atol=0.1
    )


def test_a_network_without_heat_maps_is_asked_in_vain():
    class WithoutMaps(MeanClassifier):
        def explain(self, crops):
            return self.classify(crops)

    result = StillAnalyser(WithoutMaps(), FixedDetector((1, 1, 99, 99)), 5).analyse(
        grey(100), "detect", heatmaps=True
    )
    assert result.faces[0].heatmap is None


def test_the_map_of_a_whole_image_covers_its_square():
    analyser = StillAnalyser(LeftClassifier(), None, 5)
    heatmap = analyser.analyse(grey(100, 200, 400), "whole", heatmaps=True).faces[0].heatmap
    assert heatmap.corners == ((0, -0.5), (1, -0.5), (1, 1.5), (0, 1.5))


def test_a_heat_map_is_told_with_its_face():
    analyser = StillAnalyser(LeftClassifier(), None, 5)
    (plain,) = still_to_wire(analyser.analyse(grey(100), "whole"))["faces"]
    (mapped,) = still_to_wire(analyser.analyse(grey(100), "whole", heatmaps=True))["faces"]
    assert "heatmap" not in plain
    assert mapped.pop("heatmap")["values"]["happy"] == [255, 0, 255, 0]
    assert mapped == plain


def test_a_still_is_seen_both_ways_in_one_batch_and_its_scores_are_the_mean_of_both():
    class SidedClassifier(MeanClassifier):
        """Says happy 0.9 or 0.5, by whether the left half is brighter."""

        def classify(self, crops):
            self.calls.append(crops)
            is_left = crops[:, :, 0].mean(axis=(1, 2)) > crops[:, :, -1].mean(axis=(1, 2))
            happy = np.where(is_left, 0.9, 0.5)
            scores = np.full((len(crops), 7), 0.0, np.float32) + ((1 - happy) / 6)[:, None]
            scores[:, EMOTIONS.index("happy")] = happy
            return Prediction(scores.astype(np.float32), np.zeros(len(crops), np.float32))

    classifier = SidedClassifier()
    picture = np.zeros((48, 48, 3), np.uint8)
    picture[:, :24] = 200
    (face,) = StillAnalyser(classifier, None, 5).analyse(picture, "whole").faces
    (batch,) = classifier.calls
    np.testing.assert_array_equal(batch[0], batch[1][:, ::-1])
    odds = np.sqrt(0.9 * 0.5) / np.sqrt((0.1 / 6) * (0.5 / 6))
    assert face.confidence == pytest.approx(odds / (odds + 6), abs=1e-4)
