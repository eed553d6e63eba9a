import io
import threading

import cv2
import numpy as np
import pytest

from fer_web.analysis.stills.images import ImageLimits
from fer_web.analysis.stills.still_analyser import SharedAnalyser
from fer_web.analysis.stills.stills import StillAnalyser
from fer_web.errors import ImageTooLargeError, InvalidValueError, NotAnImageError
from tests.support.fakes.stills import FixedDetector, MeanClassifier, shared_analyser

LIMITS = ImageLimits(1_000_000, 1_000_000)
GREY_PNG = cv2.imencode(".png", np.full((100, 200, 3), 100, np.uint8))[1].tobytes()


def test_bytes_and_files_are_analysed_alike():
    analyser = shared_analyser((10, 10, 60, 60))
    first, second = analyser.analyse(GREY_PNG), analyser.analyse(io.BytesIO(GREY_PNG))
    assert first.picture.frame_bgr.shape == (100, 200, 3)
    assert len(first.result.faces) == 1
    assert first.result.faces == second.result.faces


def test_what_opens_the_model_is_called_once_and_not_before_the_first_image():
    calls = []
    inner = shared_analyser()

    def build():
        calls.append(1)
        return inner._build()

    analyser = SharedAnalyser(build, ImageLimits(1_000_000, 1_000_000))
    assert calls == []
    threads = [threading.Thread(target=analyser.analyse, args=(GREY_PNG,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == [1]


def test_a_file_is_read_no_further_than_it_may_be_long():
    class Endless(io.RawIOBase):
        def read(self, count=-1):
            assert 0 < count <= 1001
            return b"x" * count

    with pytest.raises(ImageTooLargeError):
        shared_analyser(max_bytes=1000).analyse(Endless())


@pytest.mark.parametrize(
    ("data", "faces", "error"),
    [(b"no image", "auto", NotAnImageError), (GREY_PNG, "some", InvalidValueError)],
)
def test_refuses(data, faces, error):
    with pytest.raises(error):
        shared_analyser().analyse(data, faces)


def test_a_model_without_heat_maps_refuses_them_with_the_reason():
    analyser = SharedAnalyser(
        lambda: StillAnalyser(MeanClassifier(no_heatmaps="it is a test"), FixedDetector((1, 1, 9, 9)), 5),
        LIMITS,
    )
    with pytest.raises(InvalidValueError, match="cannot be had: it is a test"):
        analyser.analyse(GREY_PNG, heatmap=True)


def test_a_model_with_heat_maps_gives_them_when_asked():
    analyser = shared_analyser((1, 1, 9, 9))
    (face,) = analyser.analyse(GREY_PNG, "whole", heatmap=True).result.faces
    assert face.heatmap.values[0] == (255, 0, 255, 0)
    (face,) = analyser.analyse(GREY_PNG, "whole").result.faces
    assert face.heatmap is None
