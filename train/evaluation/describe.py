"""Write the result of `evaluate` as text."""

from collections.abc import Sequence
from typing import Any

from fer_web.metrics.text_tables import align, interval, percent

HEADS = {"original": "original labels", "ferplus": "FER+ majority", "shown": "shown label"}


def describe(result: dict[str, Any]) -> str:
    """Return everything of an evaluation but the points of curves, as aligned text."""
    sections = [_headline(result), _overview(result)]
    sections += [_classes(HEADS[key], result[key]) for key in HEADS if key in result]
    if "votes" in result:
        sections.append(_votes(result["votes"]))
    if "shown" in result:
        sections.append(_against_original(result["shown"]["against_original"]))
        sections.append(_probability(result["shown"]))
    if "robustness" in result:
        sections.append(_robustness(result))
    return "\n\n".join(sections)


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table whose first row is the header."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def points(value: float) -> str:
    """Return a difference of shares in points, with its sign."""
    return f"{100 * value:+.1f}"


def _headline(result: dict[str, Any]) -> str:
    data = result["data"]
    return (
        f"{result['model']['file']} (SHA-256 {result['model']['sha256'][:12]})\n"
        f"on {data['usage']}, {data['count']} rows, {data['copies']} of them copies"
        + (f" and {data['near_copies']} near copies of other splits' rows" if "near_copies" in data else "")
    )


def _overview(result: dict[str, Any]) -> str:
    has_averaged = "flip_averaged" in result
    header = ["against", "rows", "accuracy", "95 % interval", "macro-F1", "weighted F1", "balanced", "AUC"]
    header += ["no copies", "no near copies"] + ["mirrored too"] * has_averaged
    rows = [header]
    for key, title in HEADS.items():
        if key in result:
            averaged = result["flip_averaged"].get(key, {}).get("accuracy") if has_averaged else None
            rows.append(_overview_row(title, result[key]) + [percent(averaged)] * has_averaged)
    notes = ["Balanced is the mean recall of the classes; AUC their mean area under the ROC curve."]
    if has_averaged:
        notes.append("Mirrored too: accuracy averaged over each image and its mirror image.")
    if "label_agreement" in result:
        notes.append(f"Original label and FER+ majority agree on {percent(result['label_agreement'])}.")
    return align(rows, "") + "\n" + "\n".join(notes)


def _overview_row(title: str, scores: dict[str, Any]) -> list[str]:
    means = [percent(scores[key]) for key in ("macro_f1", "weighted_f1", "balanced_accuracy")]
    auc = scores.get("macro_auc")
    rest = [scores["without_copies"], scores["without_near_copies"]]
    return [
        title,
        str(scores["count"]),
        percent(scores["accuracy"]),
        interval(scores["interval_95"]),
        *means,
        "-" if auc is None else f"{auc:.3f}",
        *(f"{percent(each['accuracy'])} ({each['count']})" if each else "-" for each in rest),
    ]


def _classes(title: str, scores: dict[str, Any]) -> str:
    header = [f"{title}:", "rows", "precision", "recall", "95 % interval", "F1", "AUC"]
    return align([header, *(_class_row(name, each) for name, each in scores["classes"].items())], "")


def _class_row(name: str, each: dict[str, Any]) -> list[str]:
    shares = [percent(each["precision"]), percent(each["recall"]), interval(each["recall_interval_95"])]
    auc = each.get("auc")
    return [
        f"  {name}",
        str(each["count"]),
        *shares,
        percent(each["f1"]),
        "-" if auc is None else f"{auc:.3f}",
    ]


def _votes(votes: dict[str, Any]) -> str:
    return (
        f"votes of the taggers ({votes['count']} rows): {percent(votes['predicted_share'])} are for the "
        f"predicted expression ({percent(votes['leader_share'])} for the leading one);\n"
        f"soft cross-entropy {votes['cross_entropy']:.3f}, Kullback-Leibler divergence "
        f"{votes['divergence']:.3f} nats"
    )


def _against_original(scores: dict[str, Any]) -> str:
    return (
        f"shown label against the original labels ({scores['count']} rows): {percent(scores['accuracy'])} "
        f"({interval(scores['interval_95'])}), macro-F1 {percent(scores['macro_f1'])}"
    )


def _probability(shown: dict[str, Any]) -> str:
    exact = shown["calibration_error_if_exact"]
    moved = "" if not any(shown["logit_offsets"]) else " and with its offsets"
    lines = [
        "shown probability, expected calibration error (15 bins):",
        align(
            [
                ["at temperature 1", percent(shown["calibration_error_at_temperature_1"], 2)],
                [f"at {shown['temperature']:g}{moved}", percent(shown["calibration_error"], 2)],
                ["chosen by cross-fitting here", percent(shown["calibration_error_cross_fitted"], 2)],
                ["bins of equal numbers of rows", percent(shown["calibration_error_equal_mass"], 2)],
            ]
        ),
        f"  (exactly right probabilities would have {percent(exact['mean'], 2)} on so many rows by chance, "
        f"95 %: {interval(exact['interval_95'])})",
        "surest faces: "
        + ", ".join(f"{float(k):.0%} {percent(v)}" for k, v in shown["accuracy_at_coverage"].items())
        + " right",
    ]
    return "\n".join([*lines, *_unsure(shown["unsure"])])


def _unsure(unsure: dict[str, Any] | None) -> list[str]:
    if not unsure:
        return []
    return [
        f"unsure below {unsure['below']:g}: {percent(unsure['answered_share'])} answered, "
        f"{percent(unsure['accuracy_of_answered'])} of those right; unsure are "
        f"{percent(unsure['unsure_share_of_nameless_rows'])} of the rows without a majority for the seven"
    ]


def _robustness(result: dict[str, Any]) -> str:
    rows = result["robustness"]
    keys = [key for key in HEADS if all(key in row for row in rows.values())]
    table = [["changed images", *(text for key in keys for text in (HEADS[key], "points"))]]
    for name, row in rows.items():
        cells = (text for key in keys for text in (percent(row[key]), points(row[f"{key}_change"])))
        table.append([f"  {name}", *cells])
    worst = result["robustness_worst"]
    line = f"worst: {worst['name']}, {points(worst['change'])} points ({HEADS[worst['against']]})"
    return align(table, "") + "\n" + line
