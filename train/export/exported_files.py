"""Write a network as files that others open, and compare each with the network."""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fer_web.errors import ModelArtifactError
from fer_web.inference.artifact import KERAS_FILE, LITERT_FILE, META_FILE, ModelArtifact
from fer_web.inference.classifier import Logits
from train.data.fer_data import FerData
from train.export.file_formats import ALL_FORMATS, FORMATS, LITERT, check_formats
from train.export.litert_files import KINDS, LiteRTFile, measure_latencies_ms, run_litert, write_litert
from train.export.model_folder import SELECTION_SPLIT, Candidate, choose, write_model_folder
from train.export.parity import MAX_FLOAT_DIFFERENCE, compare, parity_table
from train.runs.model_outputs import run_keras
from train.runs.trained_network import NetworkSource, open_source

EXTRA_FOLDER, PARITY_FILE = "exports", "parity.json"
"""Formats that the live page does not read go there: beside the model, never into the repository.
"""

CALIBRATION_IMAGES = 300

Say = Callable[[str], None]


@dataclass(frozen=True)
class Exported:
    """It says what an export wrote.

    Attributes:
        paths: every file, and the folder of a SavedModel.
        artifact: the model folder, None where Keras and LiteRT were not both asked for.
    """

    paths: tuple[Path, ...]
    artifact: ModelArtifact | None


def export(
    path: Path,
    data: FerData,
    out: Path,
    *,
    formats: Iterable[str] = ALL_FORMATS,
    checkpoint: str = "last",
    say: Say = print,
) -> Exported:
    """Write a network in several formats, open each file again and compare it over PublicTest.

    With Keras and LiteRT among the formats, `out` becomes a model folder: the LiteRT file is the
    fastest whose accuracy stays, and temperature, offsets and threshold are chosen on PublicTest
    too. Other formats go to its subfolder "exports".

    Args:
        path: a run folder, a model folder or a .keras file.
        data: the rows that a run was trained on; Training and PublicTest. Without FER+ votes its
            labels stand for them, and the card says so.
        out: created; files of the same names are replaced once all have passed.
        formats: some of ALL_FORMATS, or "all".
        checkpoint: of a run, "last", or "best" on PublicTest.
    Raises:
        DataError: no finished epoch, or other data than the run's.
        ModelArtifactError: no LiteRT file is good enough, or a file differs from the network.
        SettingsError, SetupError: an unknown format, or one whose packages are missing.
    """
    chosen = check_formats(formats)
    makes_model = {"keras", LITERT} <= set(chosen)
    if not makes_model and {"keras", LITERT} & set(chosen) and (out / META_FILE).is_file():
        raise ModelArtifactError(
            f"{out} is a model folder, whose files belong together. Give another --out, or keras and litert "
            "both in --formats"
        )
    source, scored = open_source(path, checkpoint), data.with_label_votes()
    validation = scored.split(SELECTION_SPLIT)
    if data.votes is None:
        say("no FER+ votes: the original labels stand for the FER+ majority in all that follows")
    if makes_model:
        source.check_data(data, validation)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".export-") as folder:
        reference = run_keras(source.model, validation.images)
        work = _Work(source, scored, validation, reference, Path(folder), say)
        rows = work.write_formats(chosen)
        candidates = work.write_litert_files() if LITERT in chosen else []
        say(parity_table([*rows, *(_row_of(each) for each in candidates)], len(validation)))
        paths = _install(chosen, rows, candidates, Path(folder), out)
    artifact = write_model_folder(source, data, rows, candidates, out) if makes_model else None
    return Exported(paths, artifact)


@dataclass(frozen=True)
class _Work:
    """It is one export under way, in a folder of its own.

    `reference` is the network's output over `validation`.
    """

    source: NetworkSource
    data: FerData
    validation: FerData
    reference: Logits
    folder: Path
    say: Say

    def write_formats(self, chosen: tuple[str, ...]) -> list[dict[str, Any]]:
        """Write, open and compare every format but LiteRT; a row for each loader."""
        rows = []
        for name in chosen:
            if name == LITERT:
                continue
            self.say(f"writing {name}")
            self._write(name)
            rows += [self._check(name, title) for title in FORMATS[name].loaders]
        return rows

    def _write(self, name: str) -> None:
        if name == "keras" and self.source.keras_file is not None:
            # The same bytes: a file that is known by its hash stays that file.
            shutil.copyfile(self.source.keras_file, self.folder / KERAS_FILE)
            return
        FORMATS[name].write(self.source.model, self.folder)

    def _check(self, name: str, title: str) -> dict[str, Any]:
        kind = FORMATS[name]
        logits = kind.open(title, self.folder)(self.validation.images)
        parity = compare(logits, self.reference, self.validation)
        if not parity.largest_difference <= MAX_FLOAT_DIFFERENCE:
            raise ModelArtifactError(
                f"{title} gives logits that differ by {parity.largest_difference:.4f} from the network's; "
                f"up to {MAX_FLOAT_DIFFERENCE} is rounding. Leave {name} out of --formats"
            )
        self.say(f"{title} opened again: largest difference {parity.largest_difference:.6f}")
        size = kind.size_bytes(self.folder)
        return {"format": name, "title": title, "size_bytes": size, **parity.to_dict()}

    def write_litert_files(self) -> list[Candidate]:
        """Write every kind of LiteRT file; the chosen one becomes model.tflite."""
        training = self.data.split("Training").images
        rows = np.random.default_rng(self.source.seed).choice(
            len(training), min(CALIBRATION_IMAGES, len(training)), replace=False
        )
        files = []
        for kind in KINDS:
            self.say(f"writing litert {kind}")
            path = self.folder / f"{kind}.tflite"
            files.append(write_litert(self.source.model, kind, path, training[rows]))
        candidates = self._compare_files(files)
        shutil.copyfile(choose(candidates).file.path, self.folder / LITERT_FILE)
        return candidates

    def _compare_files(self, files: list[LiteRTFile]) -> list[Candidate]:
        candidates = []
        for file, latency_ms in zip(files, measure_latencies_ms(files), strict=True):
            logits = run_litert(file, self.validation.images)
            parity = compare(logits, self.reference, self.validation)
            candidates.append(Candidate(file, logits, parity, latency_ms))
        return candidates


def _row_of(candidate: Candidate) -> dict[str, Any]:
    return {"title": f"LiteRT {candidate.file.kind}", **candidate.to_dict()}


def _install(
    chosen: tuple[str, ...],
    rows: list[dict[str, Any]],
    candidates: list[Candidate],
    folder: Path,
    out: Path,
) -> tuple[Path, ...]:
    """Move what passed to where it belongs; returns the paths."""
    extra = out / EXTRA_FOLDER
    targets = [out / KERAS_FILE] if "keras" in chosen else []
    targets += [out / LITERT_FILE] if candidates else []
    others = [name for name in chosen if name not in ("keras", LITERT)]
    targets += [extra / name for each in others for name in FORMATS[each].files]
    for target in targets:
        _replace(folder / target.name, target)
    if others:
        report = {"compared_over": SELECTION_SPLIT, "formats": rows}
        (extra / PARITY_FILE).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return tuple(targets)


def _replace(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_dir():
        shutil.rmtree(target)
    source.replace(target)
