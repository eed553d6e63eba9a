"""Put runs, models and evaluations side by side."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fer_web.errors import DataError, SettingsError
from fer_web.inference.artifact import META_FILE
from fer_web.labels import EMOTIONS, FERPLUS_INDEX_OF_EMOTION, FERPLUS_VOTES
from fer_web.metrics.text_tables import align, interval, percent
from train.evaluation.describe import markdown_table, points
from train.evaluation.evaluation_plots import METRICS_FILE
from train.runs.plots import finish, line_look, save
from train.runs.run_folder import (
    CONFIG_FILE,
    LABELS_AS_VOTES,
    find_run,
    read_config,
    read_history,
    read_run,
)

History = list[dict[str, float]]


@dataclass(frozen=True)
class ReportRow:
    """It holds what is known of one run, model or evaluation; the rest is None or empty.

    Attributes:
        name: of its folder.
        parameters: number of weights.
        epochs: finished ones.
        minutes: of training.
        metrics: an evaluation as of `evaluate`.
        history: rows of history.csv.
    """

    name: str
    parameters: int | None = None
    epochs: int | None = None
    minutes: float | None = None
    metrics: dict[str, Any] = field(default_factory=dict)
    history: History = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types, with None for what is missing."""
        shown = self.metrics.get("shown") or {}
        return {
            "name": self.name,
            "parameters": self.parameters,
            "epochs": self.epochs,
            "minutes": self.minutes,
            "usage": self.metrics.get("data", {}).get("usage"),
            **{key: self._accuracy(key) for key in ("original", "ferplus")},
            "calibration_error": shown.get("calibration_error_cross_fitted"),
            "accuracy_of_surest_80": (shown.get("accuracy_at_coverage") or {}).get("0.8"),
            "recall": {name: self.recall(name) for name in EMOTIONS},
            "worst_robustness": self.metrics.get("robustness_worst"),
        }

    def recall(self, name: str) -> float | None:
        """Return the share (0-1) of the faces with this FER+ majority that are shown as such."""
        shown, head = (self.metrics.get(key) or {} for key in ("shown", "ferplus"))
        # Older evaluations have the classes of the FER+ output alone: the same, but for contempt
        # and offsets.
        ferplus_name = FERPLUS_VOTES[FERPLUS_INDEX_OF_EMOTION[EMOTIONS.index(name)]]
        named = shown.get("classes", {}).get(name) or head.get("classes", {}).get(ferplus_name) or {}
        return named.get("recall")

    def _accuracy(self, key: str) -> dict[str, Any]:
        """Return accuracy and interval of the evaluation, else the last epoch's accuracy."""
        if key in self.metrics:
            return {name: self.metrics[key].get(name) for name in ("accuracy", "interval_95", "count")}
        last = self.history[-1] if self.history else {}
        return {"accuracy": last.get(f"val_{key}_accuracy"), "interval_95": None, "count": None}


def read_rows(sources: Sequence[Path]) -> list[ReportRow]:
    """Read run folders, model folders, and what `evaluate --out` or `--json` wrote.

    Raises DataError.
    """
    return [read_row(source) for source in sources]


def read_row(source: Path) -> ReportRow:
    """Read one source. Raises DataError: it is nothing of these, or cannot be read."""
    source = find_run(source)
    if source.is_file():
        return ReportRow(_name(source), metrics=_read_metrics(source))
    if (source / META_FILE).is_file():
        return _read_model(source)
    if (source / CONFIG_FILE).is_file():
        return _read_run(source)
    if (source / METRICS_FILE).is_file():
        return ReportRow(_name(source), metrics=_read_metrics(source / METRICS_FILE))
    raise DataError(
        f"{source} is no run, model or evaluation: {CONFIG_FILE}, {META_FILE} or {METRICS_FILE} is needed "
        "in it. Give a folder of fit, export or evaluate --out"
    )


def _name(source: Path) -> str:
    return source.resolve().parent.name if source.name == METRICS_FILE else source.resolve().stem


def _read_model(folder: Path) -> ReportRow:
    meta = _read_json(folder / META_FILE)
    if not isinstance(meta.get("metrics"), dict):
        raise DataError(f"{folder / META_FILE} has no metrics. Export it again: python -m train export")
    return ReportRow(
        folder.resolve().name,
        parameters=meta.get("parameters"),
        epochs=meta.get("checkpoint", {}).get("epoch"),
        metrics=_of_votes(meta["metrics"], meta.get("judged_by") != LABELS_AS_VOTES),
    )


def _read_run(folder: Path) -> ReportRow:
    # Imported here: reports on models and evaluations need no framework.
    from train.networks.networks import build_network

    evaluated = folder / METRICS_FILE
    has_votes = read_run(folder)["data"].get("ferplus_targets") != LABELS_AS_VOTES
    history = [_of_votes(row, has_votes) for row in read_history(folder)]
    try:
        parameters = build_network(read_config(folder).network).count_params()
    except (SettingsError, KeyError) as exc:
        raise DataError(f"{folder / CONFIG_FILE} is not of this version ({exc}). Leave it out") from exc
    return ReportRow(
        folder.resolve().name,
        parameters=parameters,
        epochs=len(history),
        minutes=sum(row.get("seconds", 0.0) for row in history) / 60 if history else None,
        metrics=_read_metrics(evaluated) if evaluated.is_file() else {},
        history=history,
    )


def _of_votes(scores: dict[str, Any], has_votes: bool) -> dict[str, Any]:
    """Return the scores, without those against FER+ where labels stood for its votes."""
    against_votes = ("ferplus", "shown", "votes", "robustness_worst", "val_ferplus_accuracy")
    return {key: value for key, value in scores.items() if has_votes or key not in against_votes}


def _read_metrics(path: Path) -> dict[str, Any]:
    metrics = _read_json(path)
    if not isinstance(metrics.get("original"), dict) or "data" not in metrics:
        raise DataError(f"{path} is no evaluation. Write one: python -m train evaluate MODEL --out FOLDER")
    return metrics


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise DataError(f"{path} cannot be read as JSON ({exc}). Write it again") from exc
    if not isinstance(value, dict):
        raise DataError(f"{path} holds {type(value).__name__}, not an object. Write it again")
    return value


def table(rows: Sequence[ReportRow], *, markdown: bool = False) -> str:
    """Return one line for each source, "-" for what is not known."""
    records = [row.to_dict() for row in rows]
    cells = [[title for title, _ in _COLUMNS], *([cell(each) for _, cell in _COLUMNS] for each in records)]
    return markdown_table(cells) if markdown else align(cells, "")


def _accuracy_cell(scores: dict[str, Any]) -> str:
    bounds = scores["interval_95"]
    return percent(scores["accuracy"]) + (f" ({interval(bounds)})" if bounds else "")


def _worst_cell(record: dict[str, Any]) -> str:
    worst = record["worst_robustness"]
    return f"{points(worst['change'])} {worst['name']}" if worst else "-"


def _plain(value: float | int | str | None, form: str = "") -> str:
    return "-" if value is None else format(value, form)


def _recall_cell(name: str) -> Callable[[dict[str, Any]], str]:
    return lambda record: percent(record["recall"][name], 0)


_COLUMNS: list[tuple[str, Callable[[dict[str, Any]], str]]] = [
    ("name", lambda record: record["name"]),
    ("parameters", lambda record: _plain(record["parameters"], ",")),
    ("epochs", lambda record: _plain(record["epochs"])),
    ("minutes", lambda record: _plain(record["minutes"], ".0f")),
    ("scored on", lambda record: _plain(record["usage"])),
    ("original", lambda record: _accuracy_cell(record["original"])),
    ("FER+ majority", lambda record: _accuracy_cell(record["ferplus"])),
    ("calibration error", lambda record: percent(record["calibration_error"], 2)),
    ("surest 80 %", lambda record: percent(record["accuracy_of_surest_80"])),
    *((name, _recall_cell(name)) for name in EMOTIONS),
    ("worst change", _worst_cell),
]


def write_report(rows: Sequence[ReportRow], folder: Path) -> None:
    """Write report.md, report.json and curves.png into a folder, which is created."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.md").write_text(table(rows, markdown=True) + "\n", encoding="utf-8")
    records = json.dumps([row.to_dict() for row in rows], indent=2)
    (folder / "report.json").write_text(records + "\n", encoding="utf-8")
    save(draw_curves(rows), folder / "curves.png")


def draw_curves(rows: Sequence[ReportRow]) -> Figure:
    """Draw losses and accuracies over epochs, and risk-coverage curves."""
    figure = Figure(figsize=(10.5, 7.4), layout="constrained")
    (loss, risk), (original, ferplus) = figure.subplots(2, 2)
    for number, row in enumerate(rows):
        look = {"label": row.name, **line_look(number)}
        _draw_history(loss, row.history, "ferplus_loss", 1, look)
        _draw_history(original, row.history, "val_original_accuracy", 100, look)
        _draw_history(ferplus, row.history, "val_ferplus_accuracy", 100, look)
        _draw_risk(risk, row.metrics, look)
    finish(loss, title="Training loss on FER+ votes", xlabel="epoch", ylabel="cross-entropy")
    finish(risk, title="Errors among the surest faces (FER+)", xlabel="faces named, %", ylabel="wrong, %")
    finish(original, title="Original labels, each epoch", xlabel="epoch", ylabel="right, %")
    finish(ferplus, title="FER+ majority, each epoch", xlabel="epoch", ylabel="right, %")
    for axes in (loss, risk, original, ferplus):
        if axes.lines:
            axes.legend(frameon=False, fontsize=8)
        else:
            axes.text(0.5, 0.5, "not measured", transform=axes.transAxes, ha="center", color="#666666")
    return figure


def _draw_history(axes: Axes, history: History, key: str, scale: int, look: dict[str, Any]) -> None:
    measured = [(row["epoch"], scale * row[key]) for row in history if key in row]
    if measured:
        axes.plot(*zip(*measured, strict=True), **look)


def _draw_risk(axes: Axes, metrics: dict[str, Any], look: dict[str, Any]) -> None:
    curve = (metrics.get("shown") or {}).get("risk_coverage")
    if curve:
        axes.plot(*([100 * value for value in curve[name]] for name in ("coverage", "risk")), **look)
