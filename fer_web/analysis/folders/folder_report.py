"""The scores of a folder as text and as files."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Final

import numpy as np

from fer_web.analysis.folders.contact_sheet import write_contact_sheet
from fer_web.analysis.folders.folder_scores import ImagePrediction, worst_mistakes
from fer_web.metrics.text_tables import align, interval, percent

REPORT_JSON: Final = "report.json"
REPORT_TEXT: Final = "report.txt"
CONFUSION_PNG: Final = "confusion.png"
MISTAKES_PNG: Final = "mistakes.png"
_LISTED: Final = 10
_HEADS: Final = {"shown": "accuracy", "original": "accuracy_original"}


def write_folder_report(
    folder: Path, report: dict[str, Any], predictions: Sequence[ImagePrediction]
) -> list[Path]:
    """Write report.json, report.txt, confusion.png and, where there are mistakes, mistakes.png.

    Returns: the files. Raises: OSError: one cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / name for name in (REPORT_JSON, REPORT_TEXT, CONFUSION_PNG)]
    paths[0].write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    paths[1].write_text(describe_folder(report) + "\n", encoding="utf-8")
    draw_confusions(paths[2], report)
    mistakes = worst_mistakes(predictions)
    if mistakes:
        paths.append(folder / MISTAKES_PNG)
        write_contact_sheet(paths[-1], mistakes)
    return paths


def describe_folder(report: dict[str, Any]) -> str:
    """The report as text, without the list of mistakes."""
    sections = ["\n".join([_headline(report), *_accuracies(report)]), report["difference"]]
    sections += [_classification_report(key, report[key]) for key in _HEADS if report[key]]
    sections += [_confusion(key, report[key]) for key in _HEADS if report[key]]
    return "\n\n".join(each for each in [*sections, "\n".join(_apart(report))] if each)


def _headline(report: dict[str, Any]) -> str:
    model = report["model"]
    counts = f"{report['images']} images, {report['scored']} of them scored"
    made_by = f"model {model['name']} ({model['sha256'][:12]}), --faces {report['faces']}"
    detected = f"\nread as {report['detected']}" if report.get("detected") else ""
    return f"{report['folder']}: {counts}; {made_by}{detected}"


def _accuracies(report: dict[str, Any]) -> list[str]:
    rows = [["", "", "95 % interval", "macro-F1"]]
    for name, suffix in (("accuracy", ""), ("accuracy_original", "_original")):
        value = report[f"accuracy{suffix}"]
        if value is not None:
            bounds = interval(report[f"interval_95{suffix}"])
            rows.append([name, percent(value), bounds, percent(report[f"macro_f1{suffix}"])])
    if len(rows) == 1:
        return ["no image could be scored"]
    sure = report["sure"]
    line = f"sure of {percent(sure['share'])} of them, and right in {percent(sure['accuracy'])} of these"
    return [align(rows, ""), line]


def _classification_report(key: str, scores: dict[str, Any]) -> str:
    rows = [[f"{_HEADS[key]}:", "precision", "recall", "F1", "images"]]
    for name, each in scores["classes"].items():
        shares = [percent(each[which]) for which in ("precision", "recall", "f1")]
        rows.append([f"  {name}", *shares, str(each["count"])])
    for name, recall, f1 in (
        ("macro", "balanced_accuracy", "macro_f1"),
        ("weighted", "accuracy", "weighted_f1"),
    ):
        rows.append([f"  {name} average", "", percent(scores[recall]), percent(scores[f1]), ""])
    return align(rows, "")


def _confusion(key: str, scores: dict[str, Any]) -> str:
    names = list(scores["classes"])
    rows = [[f"{_HEADS[key]}, true \\ said", *names]]
    rows += [[f"  {name}", *map(str, row)] for name, row in zip(names, scores["confusion"], strict=True)]
    return align(rows, "")


def _apart(report: dict[str, Any]) -> list[str]:
    lines = []
    if report["no_face"]["count"]:
        lines.append(f"no face found in {report['no_face']['count']} images. {report['no_face']['note']}")
    if report["several_faces"]:
        lines.append(f"several faces in {report['several_faces']} images: the largest counts")
    if report["contempt"]:
        said = ", ".join(f"{name} {count}" for name, count in report["contempt"]["labels"].items())
        count = report["contempt"]["count"]
        lines.append(
            f"contempt: not one of the model's seven, counted apart: {count} images, shown as {said}"
        )
        if report["contempt"]["said"] is not None:
            lines.append(
                f"  its output for contempt is the strongest in {report['contempt']['said']} of them"
            )
    if missing := report.get("missing"):
        count = sum(report["shown"]["classes"][name]["count"] for name in missing)
        lines.append(f"the model has no output for {', '.join(missing)}: {count} images of these are wrong")
    if report.get("unlabelled"):
        lines.append(
            f"{report['unlabelled']} images have no label of the eight expressions and were left out"
        )
    if report["skipped"]:
        lines.append(f"{report['skipped']} files are no images by their names")
    lines += _unreadable(report["unreadable"])
    return lines


def _unreadable(found: list[dict[str, Any]]) -> list[str]:
    if not found:
        return []
    lines = [f"{len(found)} files cannot be read:"]
    lines += [f"  {each['file']}: {each['error']['message']}" for each in found[:_LISTED]]
    return lines + ([f"  and {len(found) - _LISTED} more (--json lists all)"] if len(found) > _LISTED else [])


def draw_confusions(file: Path | IO[bytes], report: dict[str, Any]) -> None:
    """Write a PNG of the confusion matrices."""
    # Imported here: drawing takes half a second to import.
    from fer_web.metrics.confusion_plot import write_confusions

    matrices = {
        f"{name}: {percent(report[key]['accuracy'])} of {report[key]['count']:,}": np.array(
            report[key]["confusion"]
        )
        for key, name in _HEADS.items()
        if report[key]
    }
    write_confusions(file, matrices, list(report["shown"]["classes"]))
