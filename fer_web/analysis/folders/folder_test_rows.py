"""Keeps tests of folders in the history's database, image by image, so that they outlive the server."""

import datetime
import json
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine, Row, delete, insert, select, update

from fer_web.analysis.folders.folder_scores import ImagePrediction
from fer_web.analysis.folders.folder_test import FolderTest
from fer_web.analysis.folders.labelled_images import LabelledImage
from fer_web.errors import ImageError
from fer_web.storage.database import reading, writing
from fer_web.storage.schema import folder_test_images, folder_tests


class FolderTestRows:
    """The tables of folder tests. Each verb blocks, is one transaction, and raises DatabaseError."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, test: FolderTest, used_s: float) -> None:
        """Store a new test. Args: used_s: since 1970."""
        row = {
            "id": test.id,
            "owner": test.owner,
            "client_key": test.client_key,
            "name": test.name,
            "faces": test.faces,
            "created_ms": round(test.created_at.timestamp() * 1000),
            "used_ms": round(used_s * 1000),
        }
        with writing(self._engine) as connection:
            connection.execute(insert(folder_tests).values(row))

    def add_image(self, test_id: str, prediction: ImagePrediction, used_s: float) -> None:
        """Store what was said of an image, over what was said before; nothing where its test is gone."""
        path = prediction.image.path.as_posix()
        here = (folder_test_images.c.test == test_id) & (folder_test_images.c.path == path)
        noted = update(folder_tests).where(folder_tests.c.id == test_id).values(used_ms=round(used_s * 1000))
        with writing(self._engine) as connection:
            if not connection.execute(noted).rowcount:
                return
            connection.execute(delete(folder_test_images).where(here))
            row = {"test": test_id, "path": path, **_columns(prediction)}
            connection.execute(insert(folder_test_images).values(row))

    def keep_crops(self, test_id: str, paths: list[str]) -> None:
        """Forget what the network saw, but for these images."""
        images = folder_test_images.c
        others = (images.test == test_id) & images.crop.is_not(None) & images.path.not_in(paths)
        with writing(self._engine) as connection:
            connection.execute(update(folder_test_images).where(others).values(crop=None))

    def find(self, test_id: str, used_since_s: float) -> FolderTest | None:
        """A test with all that was said; None where there is none that was used since then (since 1970)."""
        tests, images = folder_tests.c, folder_test_images.c
        is_wanted = (tests.id == test_id.replace("\0", "?")) & (tests.used_ms >= round(used_since_s * 1000))
        with reading(self._engine) as connection:
            row = connection.execute(select(folder_tests).where(is_wanted)).one_or_none()
            if row is None:
                return None
            rows = connection.execute(select(folder_test_images).where(images.test == row.id)).all()
        created_at = datetime.datetime.fromtimestamp(row.created_ms / 1000, datetime.UTC)
        test = FolderTest(row.id, row.owner, row.name, row.faces, created_at, 0.0, row.client_key)
        test.predictions = {each.path: _prediction_of(each) for each in rows}
        test.crops = sum(each.crop is not None for each in test.predictions.values())
        return test

    def remove(self, test_id: str) -> None:
        """Forget a test."""
        with writing(self._engine) as connection:
            connection.execute(delete(folder_tests).where(folder_tests.c.id == test_id))

    def forget_idle(self, used_since_s: float) -> None:
        """Forget the tests that nobody used since then."""
        with writing(self._engine) as connection:
            connection.execute(
                delete(folder_tests).where(folder_tests.c.used_ms < round(used_since_s * 1000))
            )


def _columns(prediction: ImagePrediction) -> dict[str, Any]:
    crop = prediction.crop
    told = {
        "expression": prediction.image.expression,
        "error": None if prediction.error is None else str(prediction.error),
        "faces": prediction.faces,
        "framing": prediction.framing,
        "label": prediction.label,
        "confidence": prediction.confidence,
        "is_sure": prediction.is_sure,
        "original_label": prediction.original_label,
        "crop_shape": None if crop is None else list(crop.shape),
    }
    return {"prediction": json.dumps(told), "crop": None if crop is None else crop.tobytes()}


def _prediction_of(row: Row[Any]) -> ImagePrediction:
    told = json.loads(row.prediction)
    expression, error, shape = told.pop("expression"), told.pop("error"), told.pop("crop_shape")
    crop = None if row.crop is None else np.frombuffer(row.crop, np.uint8).reshape(shape)
    return ImagePrediction(
        LabelledImage(Path(row.path), expression),
        error=None if error is None else ImageError(error),
        crop=crop,
        **told,
    )
