"""Write what `evaluate --out` leaves: report.txt, metrics.json and a plot of each kind of score."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from fer_web.metrics.classification_report import wilson_interval
from fer_web.metrics.confusion_plot import draw_confusion
from fer_web.metrics.text_tables import percent
from train.evaluation.describe import HEADS, describe, points
from train.runs.plots import COLOUR_OF_EXPRESSION, LINE_STYLES, PALETTE, finish, save

METRICS_FILE = "metrics.json"
REPORT_FILE = "report.txt"


def write_evaluation(folder: Path, result: dict[str, Any]) -> None:
    """Write an evaluation's files into a folder, which is created."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / METRICS_FILE).write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    (folder / REPORT_FILE).write_text(describe(result) + "\n", encoding="utf-8")
    plot_evaluation(result, folder)


def plot_evaluation(result: dict[str, Any], folder: Path) -> None:
    """Draw a plot of each kind of score that was measured, as PNG."""
    heads = {key: title for key, title in HEADS.items() if key in result}
    subtitle = f"{result['data']['usage']}, model {result['model']['sha256'][:8]}"
    save(draw_confusions(result, heads, subtitle), folder / "confusion.png")
    with_roc = {key: title for key, title in heads.items() if "roc" in result[key]}
    save(draw_rocs(result, with_roc, subtitle), folder / "roc.png")
    if "shown" in result:
        save(draw_reliability(result["shown"], subtitle), folder / "reliability.png")
        save(draw_risk_coverage(result["shown"], subtitle), folder / "risk_coverage.png")
    if "robustness" in result:
        save(draw_robustness(result, subtitle), folder / "robustness.png")


def draw_confusions(result: dict[str, Any], heads: dict[str, str], subtitle: str) -> Figure:
    """Draw one matrix for each head: shares of each row, with counts."""
    figure = Figure(figsize=(5.9 * len(heads), 5.6), layout="constrained")
    for axes, (key, title) in zip(np.atleast_1d(figure.subplots(1, len(heads))), heads.items(), strict=True):
        scores = result[key]
        draw_confusion(axes, np.array(scores["confusion"]), list(scores["classes"]))
        axes.set_title(f"{title}: {percent(scores['accuracy'])} of {scores['count']:,}")
    figure.suptitle(f"Shares of each row in %, and counts; {subtitle}", fontsize=10)
    return figure


def draw_rocs(result: dict[str, Any], heads: dict[str, str], subtitle: str) -> Figure:
    """Draw each class against the rest, where the curves differ: below half false positives."""
    figure = Figure(figsize=(5.4 * len(heads), 4.8), layout="constrained")
    for axes, (key, title) in zip(np.atleast_1d(figure.subplots(1, len(heads))), heads.items(), strict=True):
        roc, classes = result[key]["roc"], result[key]["classes"]
        for number, (name, rates) in enumerate(roc["true_positive_rates"].items()):
            if classes[name]["auc"] is None:
                continue
            axes.plot(
                100 * np.array(roc["false_positive_rates"]),
                100 * np.array(rates, float),
                label=f"{name} {classes[name]['auc']:.3f}",
                color=COLOUR_OF_EXPRESSION[name],
                linestyle=LINE_STYLES[number % 2],
            )
        finish(
            axes, title=f"{title}, one class against the rest", xlabel="false positives, %", ylabel="found, %"
        )
        axes.set(xlim=(0, 50), ylim=(0, 101))
        axes.legend(title="area under the curve", loc="lower right", fontsize=8, title_fontsize=8)
    figure.suptitle(subtitle, fontsize=10)
    return figure


def draw_reliability(shown: dict[str, Any], subtitle: str) -> Figure:
    """Draw how often the shown label is right for each probability, and for how many faces."""
    figure = Figure(figsize=(5.2, 5.6), layout="constrained")
    axes, counts = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    bins = shown["reliability"]
    rows = np.array(bins["count"], float)
    confidence, right = (100 * np.array(bins[key], float) for key in ("confidence", "accuracy"))
    bounds = [
        wilson_interval(round(share * count), count) if count else (np.nan, np.nan)
        for share, count in zip(np.nan_to_num(right / 100), bins["count"], strict=True)
    ]
    error = np.abs(100 * np.array(bounds).T - right)
    axes.plot([0, 100], [0, 100], color="#999999", linestyle="--", label="exactly right")
    axes.errorbar(confidence, right, yerr=error, fmt="o-", color=PALETTE[0], capsize=2, label="measured")
    axes.legend(loc="upper left", frameon=False)
    title = f"Calibration error {percent(shown['calibration_error'], 2)}\n{subtitle}"
    finish(axes, title=title, xlabel="", ylabel="label is the FER+ majority's, %")
    axes.set(xlim=(0, 101), ylim=(0, 105))
    width = 100 / len(rows)
    counts.bar((np.arange(len(rows)) + 0.5) * width, rows, width=0.9 * width, color=PALETTE[0])
    finish(counts, title="", xlabel="shown probability, %", ylabel="faces")
    return figure


def draw_risk_coverage(shown: dict[str, Any], subtitle: str) -> Figure:
    """Draw errors among the faces that are named, over their share, with the model's threshold."""
    figure = Figure(figsize=(5.6, 4.2), layout="constrained")
    axes = figure.subplots()
    curve, unsure = shown["risk_coverage"], shown["unsure"]
    coverage, risk = (100 * np.array(curve[key]) for key in ("coverage", "risk"))
    axes.plot(coverage, risk, color=PALETTE[0], label="surest faces first")
    if unsure and unsure["accuracy_of_answered"] is not None:
        at = (100 * unsure["answered_share"], 100 * (1 - unsure["accuracy_of_answered"]))
        axes.plot(*at, "o", color=PALETTE[1], label=f"unsure below {unsure['below']:g}")
    finish(
        axes,
        title=f'What saying "unsure" gains; {subtitle}',
        xlabel="faces named, %",
        ylabel="of these wrong, %",
    )
    axes.set(xlim=(0, 101), ylim=(0, None))
    axes.legend(loc="upper left", frameon=False)
    return figure


def draw_robustness(result: dict[str, Any], subtitle: str) -> Figure:
    """Draw accuracy on changed images, the best at the bottom; a line at the clean score."""
    rows, worst = result["robustness"], result["robustness_worst"]
    key = worst["against"]
    names = sorted(rows, key=lambda name: rows[name][key], reverse=True)
    clean = 100 * result[key]["accuracy"]
    figure = Figure(figsize=(6.6, 0.42 * len(names) + 1.5), layout="constrained")
    axes = figure.subplots()
    values = [100 * rows[name][key] for name in names]
    colours = [PALETTE[1] if name == worst["name"] else PALETTE[0] for name in names]
    bars = axes.barh(names, values, color=colours, height=0.7)
    for bar, name, value in zip(bars, names, values, strict=True):
        text = f"{value:.1f} % ({points(rows[name][f'{key}_change'])})"
        middle = bar.get_y() + bar.get_height() / 2
        axes.text(1.5, middle, text, color="white", va="center", fontsize=8.5)
    axes.axvline(clean, color="black", linestyle="--", linewidth=1, label=f"clean, {clean:.1f} %")
    finish(axes, title=f"{HEADS[key]}; {subtitle}", xlabel="right, %", ylabel="")
    axes.grid(axis="y", visible=False)
    axes.set_xlim(0, 100)
    figure.legend(loc="outside lower right", frameon=False)
    return figure
