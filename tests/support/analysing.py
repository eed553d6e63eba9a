"""An application that finds one face in every image, at once."""

import contextlib

from fer_web.factory import create_application
from fer_web.settings import Settings
from tests.support.fakes.models import write_empty_model
from tests.support.fakes.pipelines import InstantPipeline
from tests.support.fakes.stills import shared_analyser

MAX_BYTES = 50_000


@contextlib.contextmanager
def analysing_application(folder):
    """The application, with what it stores in the folder."""
    settings = Settings(
        model=write_empty_model(folder / "model"),
        async_mode="threading",
        detector="haar",
        data_dir=folder / "data",
        max_image_bytes=MAX_BYTES,
    )
    analyser = shared_analyser((20, 20, 80, 80), max_bytes=MAX_BYTES, max_pixels=40_000)
    built = create_application(settings, [InstantPipeline()], analyser=analyser)
    try:
        yield built
    finally:
        built.scheduler.stop()
        built.close()
