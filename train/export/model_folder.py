"""Complete a model folder as it ships: the LiteRT file is chosen, scored and described."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_web.errors import ModelArtifactError
from fer_web.inference.artifact import LITERT_FILE, ModelArtifact, write_meta
from fer_web.inference.classifier import Logits
from fer_web.labels import EMOTIONS, FERPLUS_VOTES
from train.data.fer_data import FerData
from train.evaluation.evaluate import evaluate
from train.evaluation.evaluation_plots import plot_evaluation
from train.evaluation.scoring import score_robustness, worst_change
from train.export.litert_files import LiteRTFile, run_litert
from train.export.model_card import write_model_card
from train.export.parity import MAX_ACCURACY_DROP, Parity
from train.metrics.calibration import Calibration, calibrate
from train.metrics.metrics import ferplus_majority
from train.networks.networks import INPUT_SHAPE
from train.runs.model_outputs import Predictions, average_logits
from train.runs.plots import plot_history
from train.runs.run_folder import LABELS_AS_VOTES, code_version
from train.runs.trained_network import NetworkSource

SELECTION_SPLIT = "PublicTest"

SAME_TIME = 0.1
"""Times that differ by this share or less count as equal: on a busy machine they change places."""

MAX_UNCERTAINTY = 0.5
"""Where over half of the votes are for "unknown" or "not-a-face", no expression has a majority."""


@dataclass(frozen=True)
class Candidate:
    """It has a LiteRT file, its output over PublicTest, and the time of one face on one thread."""

    file: LiteRTFile
    logits: Logits
    parity: Parity
    latency_ms: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return {
            "kind": self.file.kind,
            "latency_ms": round(self.latency_ms, 3),
            "size_bytes": self.file.size_bytes,
            **self.parity.to_dict(),
            "passes": self.parity.keeps_accuracy,
        }


def choose(candidates: list[Candidate]) -> Candidate:
    """Return the fastest file that passes; of equally fast ones the closest to the network.

    Raises: ModelArtifactError: none passes.
    """
    passing = [each for each in candidates if each.parity.keeps_accuracy]
    if not passing:
        changes = {each.file.kind: each.parity.accuracy_change for each in candidates}
        raise ModelArtifactError(
            f"every LiteRT file loses {MAX_ACCURACY_DROP:.1%} of accuracy or more: {changes}. Train "
            "longer, or leave litert out of --formats"
        )
    fastest = min(each.latency_ms for each in passing)
    as_fast = [each for each in passing if each.latency_ms <= fastest * (1 + SAME_TIME)]
    return min(as_fast, key=lambda each: each.parity.largest_difference)


def write_model_folder(
    source: NetworkSource,
    data: FerData,
    rows: list[dict[str, Any]],
    candidates: list[Candidate],
    out: Path,
) -> ModelArtifact:
    """Write scores, plots, meta.json and card beside model.keras and model.tflite.

    Args:
        rows: the other files that were compared, as stored in meta.json.
        data: without FER+ votes, the original labels stand for them.
        candidates: every LiteRT file; the one that `choose` takes is model.tflite.
        out: where the two files are.
    """
    shipped, scored = choose(candidates), data.with_label_votes()
    calibration = calibrate_on(shipped.logits, scored.split(SELECTION_SPLIT))
    metrics = score_shipped(shipped, calibration, scored, out / LITERT_FILE)
    best = source.facts.get("checkpoint", {}).get("kind") == "best"
    meta = {
        **_describe_model(source, shipped, calibration),
        "metrics": metrics,
        "judged_by": LABELS_AS_VOTES if data.votes is None else "FER+ votes",
        "litert_candidates": [each.to_dict() for each in candidates],
        "formats": rows,
        **source.facts,
        "chosen_on": f"{SELECTION_SPLIT}: temperature, logit_offsets, unsure_below, kind of LiteRT file"
        + (", checkpoint" if best else ""),
        "code_version": code_version(),
    }
    plots = out / "plots"
    plot_evaluation(metrics, plots)
    _draw_history(source, plots / "history.png")
    artifact = write_meta(out, meta)
    write_model_card(out, meta)
    return artifact


def _draw_history(source: NetworkSource, path: Path) -> None:
    drawn = source.path / "plots" / path.name
    if source.history:
        plot_history(source.history, path)
    elif drawn.is_file() and drawn.resolve() != path.resolve():
        shutil.copyfile(drawn, path)


def score_shipped(shipped: Candidate, calibration: Calibration, data: FerData, path: Path) -> dict[str, Any]:
    """Return every score of the shipped file: plain, averaged with mirror images, and on changed
    images.

    Args: path: where the file lies now.
    """
    file = LiteRTFile(shipped.file.kind, path, shipped.file.outputs, shipped.file.size_bytes)
    part = data.split(SELECTION_SPLIT)
    predictions = Predictions(
        path,
        shipped.logits,
        calibration.temperature,
        calibration.unsure_below,
        average_logits(shipped.logits, run_litert(file, part.images[:, :, ::-1])),
        calibration.logit_offsets,
    )
    changed = score_robustness(lambda images: run_litert(file, images), shipped.logits, part)
    scores = evaluate(predictions, data, SELECTION_SPLIT)
    return scores | {"robustness": changed, "robustness_worst": worst_change(changed)}


def calibrate_on(logits: Logits, part: FerData) -> Calibration:
    """Return the temperature, offsets and threshold from the rows that have a FER+ majority."""
    majority, counts = ferplus_majority(part.known_votes)
    return calibrate(logits.ferplus[counts], majority[counts])


def _describe_model(source: NetworkSource, shipped: Candidate, calibration: Calibration) -> dict[str, Any]:
    height, width, channels = INPUT_SHAPE
    return {
        "name": source.facts.get("config", {}).get("network", {}).get("name", source.model.name),
        "labels": list(EMOTIONS),
        "ferplus_votes": list(FERPLUS_VOTES),
        "input": {"height": height, "width": width, "channels": channels, "range": [0, 255]},
        "outputs": shipped.file.outputs,
        "litert": shipped.to_dict(),
        "parameters": source.model.count_params(),
        "temperature": calibration.temperature,
        "logit_offsets": list(calibration.logit_offsets),
        "unsure_below": calibration.unsure_below,
        "max_doubt": MAX_UNCERTAINTY,
    }
