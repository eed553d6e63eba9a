"""Write the tables of a model card, as Markdown."""

from typing import Any

from fer_web.metrics.text_tables import interval, percent
from train.evaluation.describe import markdown_table, points

_AGAINST = {
    "original": "FER-2013's original labels",
    "ferplus": "FER+ majority of eight expressions",
    "shown": "FER+ majority, by the shown label",
}


def score_table(metrics: dict[str, Any]) -> str:
    """Return a table of the accuracies of both outputs and of the shown label."""
    header = ["against", "rows", "accuracy", "95 % interval", "macro-F1", "without copies", "mirrored too"]
    averaged = metrics.get("flip_averaged", {})
    rows = [
        _score_row(title, metrics[key], averaged.get(key))
        for key, title in _AGAINST.items()
        if "macro_f1" in metrics.get(key, {})
    ]
    return markdown_table([header, *rows])


def _score_row(title: str, scores: dict[str, Any], averaged: dict[str, Any] | None) -> list[str]:
    rest = scores["without_copies"]
    return [
        title,
        f"{scores['count']:,}",
        percent(scores["accuracy"]),
        f"{interval(scores['interval_95'])} %",
        percent(scores["macro_f1"]),
        f"{percent(rest['accuracy'])} ({rest['count']:,} rows)" if rest else "-",
        percent(averaged["accuracy"] if averaged else None),
    ]


def class_tables(metrics: dict[str, Any]) -> str:
    """Return tables of the seven shown and of FER+'s eight, each where it is the majority."""
    parts = []
    for key, title in (("shown", "Shown label"), ("ferplus", "Second output")):
        classes = metrics[key].get("classes")
        if classes:
            header = [f"{title}, FER+ majority", "rows", "precision", "recall", "95 % interval (%)", "F1"]
            parts.append(markdown_table([header, *(_class_row(*each) for each in classes.items())]))
    return "\n\n".join(parts)


def _class_row(name: str, scores: dict[str, Any]) -> list[str]:
    bounds = scores.get("recall_interval_95")
    return [
        name,
        f"{scores['count']:,}",
        percent(scores["precision"]),
        percent(scores["recall"]),
        interval(bounds) if bounds else "-",
        percent(scores["f1"]),
    ]


def robustness_table(rows: dict[str, dict[str, float]]) -> str:
    """Return a table of the accuracies on each kind of changed pictures."""
    header = ["pictures", "original labels", "FER+ majority"]
    return markdown_table([header, *([name, *_changed(each)] for name, each in rows.items())])


def _changed(scores: dict[str, float]) -> list[str]:
    return [
        f"{percent(scores[key])} ({points(scores[f'{key}_change'])})" if key in scores else "-"
        for key in ("original", "ferplus")
    ]


def file_tables(meta: dict[str, Any]) -> str:
    """Return a table of every file that was written and compared."""
    header = [
        "file",
        "ms a face",
        "MB",
        "accuracy change, original / FER+ (points)",
        "largest logit difference",
    ]
    rows = [{"title": f"LiteRT {each['kind']}", **each} for each in meta["litert_candidates"]]
    return markdown_table([header, *(_file_row(each) for each in [*meta.get("formats", []), *rows])])


def _file_row(row: dict[str, Any]) -> list[str]:
    change = row["accuracy_change"]
    return [
        row["title"],
        f"{row['latency_ms']:.2f}" if "latency_ms" in row else "-",
        f"{row['size_bytes'] / 1e6:.1f}",
        f"{100 * change['original']:+.2f} / {100 * change['ferplus']:+.2f}",
        f"{row['largest_logit_difference']:.5f}",
    ]
