"""Folders of labelled images whose images come one by one: what was said of each, and the report on all."""

import contextlib
import datetime
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from fer_web.analysis.folders.folder_scores import MAX_MISTAKES, ImagePrediction, score_folder, worst_mistakes
from fer_web.analysis.folders.folder_test import FolderTest
from fer_web.analysis.folders.folder_test_rows import FolderTestRows
from fer_web.errors import DatabaseError, JobStateError, NotFoundError, TooManyJobsError
from fer_web.labels import CONTEMPT

OUTCOMES: Final = ("right", "wrong", "no_face", "apart", "error")
"""An image has one of these; contempt is none of the seven expressions and counts apart."""

_TRIM_AT: Final = 2 * MAX_MISTAKES
"""Faces that wait to be looked over: only those of the worst mistakes are kept."""


@dataclass(frozen=True)
class FolderTestLimits:
    """These limits say how many tests and images there may be.

    Attributes:
        of_owner, of_client, tests: tests of one owner, of one client and of all.
        images, images_of_client, all_images: of one test, of all tests of one client, and of all.
        idle_s: seconds without any use.
    """

    of_owner: int = 3
    of_client: int = 6
    tests: int = 12
    images: int = 40_000
    images_of_client: int = 80_000
    all_images: int = 160_000
    idle_s: float = 3600.0


@dataclass(frozen=True)
class TestedWith:
    """A report says this about how it was made. `detector`: None where there is none."""

    __test__ = False

    model_name: str
    model_hash: str
    detector: str | None


class FolderTestStore:
    """All tests of a server, in memory, without the images; rows keep them beyond its end. Thread-safe.

    A test that is asked for and not in memory is one of an earlier server's.
    """

    def __init__(
        self,
        tested_with: TestedWith,
        limits: FolderTestLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
        rows: FolderTestRows | None = None,
    ) -> None:
        """Args: clock: seconds. rows: where tests outlive the server; None is nowhere. Its verbs block."""
        self._rows = rows
        self._tested_with = tested_with
        self._limits = limits or FolderTestLimits()
        self._clock = clock
        self._tests: dict[str, FolderTest] = {}
        self._lock = threading.Lock()

    def begin(self, owner: str, name: str, faces: str, client_key: str = "") -> FolderTest:
        """A new test. Raises TooManyJobsError: there are as many as may be. DatabaseError."""
        test = self._begin(owner, name, faces, client_key)
        if self._rows is not None:
            try:
                self._rows.forget_idle(time.time() - self._limits.idle_s)
                self._rows.add(test, time.time())
            except DatabaseError:
                self._drop(test.id)
                raise
        return test

    def _begin(self, owner: str, name: str, faces: str, client_key: str) -> FolderTest:
        with self._lock:
            self._forget_idle()
            mine = [test for test in self._tests.values() if test.owner == owner]
            if len(mine) >= self._limits.of_owner:
                raise TooManyJobsError(
                    f"You have {self._limits.of_owner} folder tests here, more are not allowed. Delete one, "
                    "or try again later."
                )
            of_client = sum(test.client_key == client_key for test in self._tests.values())
            if len(self._tests) >= self._limits.tests or of_client >= self._limits.of_client:
                raise TooManyJobsError(f"{len(self._tests)} folder tests are under way. Try again later.")
            now = datetime.datetime.now(datetime.UTC)
            test = FolderTest(secrets.token_urlsafe(12), owner, name, faces, now, self._clock(), client_key)
            self._tests[test.id] = test
            return test

    def get(self, test_id: str, owner: str) -> FolderTest:
        """One of an owner's tests, which counts as used now. Raises NotFoundError, DatabaseError."""
        with self._lock:
            self._forget_idle()
            is_known = test_id in self._tests
        if not is_known:
            self._take_up(test_id)
        with self._lock:
            test = self._tests.get(test_id)
            if test is None or test.owner != owner:
                raise NotFoundError(
                    "There is no such folder test here: it was deleted, or nobody used it for "
                    f"{self._limits.idle_s / 60:.0f} minutes. Begin another one."
                )
            test.used_s = self._clock()
            return test

    def remove(self, test_id: str, owner: str) -> None:
        """Forget a test. Raises NotFoundError."""
        self.get(test_id, owner)
        if self._rows is not None:
            self._rows.remove(test_id)
        self._drop(test_id)

    def _drop(self, test_id: str) -> None:
        with self._lock, contextlib.suppress(KeyError):
            del self._tests[test_id]

    def _take_up(self, test_id: str) -> None:
        """Find a test of an earlier server, where there is one and room for it."""
        if self._rows is None:
            return
        found = self._rows.find(test_id, time.time() - self._limits.idle_s)
        with self._lock:
            if found is not None and len(self._tests) < self._limits.tests:
                found.used_s = self._clock()
                self._tests.setdefault(test_id, found)

    def check_room(self, test: FolderTest) -> None:
        """Raises TooManyJobsError: it has as many images as it may have, or all have together."""
        if len(test.predictions) >= self._limits.images:
            raise TooManyJobsError(
                f"This test has {len(test.predictions)} images, more are not allowed. Begin another one."
            )

        with self._lock:
            tests = list(self._tests.values())
        everybodys = sum(len(each.predictions) for each in tests)
        clients = sum(len(each.predictions) for each in tests if each.client_key == test.client_key)
        if everybodys >= self._limits.all_images or clients >= self._limits.images_of_client:
            raise TooManyJobsError(
                f"The folder tests here have {everybodys} images together, more are not allowed. Delete one, "
                "or try again later."
            )

    def add(self, test: FolderTest, prediction: ImagePrediction) -> int:
        """Take in what was said of an image; returns how many there are. Raises DatabaseError."""
        if self._rows is not None:
            self._rows.add_image(test.id, prediction, time.time())
        with self._lock:
            test.predictions[prediction.image.path.as_posix()] = prediction
            test.crops += prediction.crop is not None
            must_trim = test.crops > _TRIM_AT
            if must_trim:
                _trim(test)
            kept = [path for path, each in test.predictions.items() if each.crop is not None]
            count = len(test.predictions)
        if must_trim and self._rows is not None:
            self._rows.keep_crops(test.id, kept)
        return count

    def report(self, test: FolderTest) -> dict[str, Any]:
        """As the command's report.json: see `folder_test.score_folder`."""
        made_with = self._tested_with
        return {
            "folder": test.name,
            "model": {"name": made_with.model_name, "sha256": made_with.model_hash},
            "detector": made_with.detector,
            "faces": test.faces,
            "skipped": 0,
            **score_folder(self._predictions(test)),
        }

    def mistakes(self, test: FolderTest) -> list[ImagePrediction]:
        """The worst mistakes, with what the network saw. Raises JobStateError: there are none."""
        found = [each for each in worst_mistakes(self._predictions(test)) if each.crop is not None]
        if not found:
            raise JobStateError("There is no mistake to show: all faces were named right, or none came yet.")
        return found

    def _predictions(self, test: FolderTest) -> list[ImagePrediction]:
        with self._lock:
            return list(test.predictions.values())

    def _forget_idle(self) -> None:
        oldest_s = self._clock() - self._limits.idle_s
        self._tests = {key: test for key, test in self._tests.items() if test.used_s >= oldest_s}


def _trim(test: FolderTest) -> None:
    kept = {each.image.path.as_posix() for each in worst_mistakes(list(test.predictions.values()))}
    for path, prediction in test.predictions.items():
        if prediction.crop is not None and path not in kept:
            test.predictions[path] = replace(prediction, crop=None)
    test.crops = sum(prediction.crop is not None for prediction in test.predictions.values())


def outcome_of(prediction: ImagePrediction) -> str:
    """One of OUTCOMES."""
    if prediction.error is not None:
        return "error"
    if prediction.label is None:
        return "no_face"
    if prediction.image.expression == CONTEMPT:
        return "apart"
    return "right" if prediction.is_right else "wrong"
