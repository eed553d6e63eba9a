"""MODEL_CARD.md of a shipped model, from its measured numbers only."""

from pathlib import Path
from typing import Any

from fer_web.inference.artifact import LITERT_FILE

_WHAT = """\
# {name}

A convolutional network of {millions:.2f} million parameters that names the facial expression in a grey
{height}x{width} picture of one face: {labels}. It has two outputs on one trunk: FER-2013's original
labels, and the votes of FER+'s ten taggers. What users see comes from the second, with contempt left out;
the share of "unknown" and "not-a-face" votes is used as doubt.

## Use

For showing people what their face expresses to others, for teaching and for experiments. An expression is
not an emotion: the network says what taggers would call a picture, not what the person feels. Do not use
it to judge anyone. Reading the emotions of people at work or in education is forbidden in the European
Union (AI Act, article 5(1)(f)).
"""

_TRAINING = """\
## Training

From random weights on {training_rows:,} rows of FER-2013's Training split; {dropped_copies} rows whose
exact pixels also stand in PublicTest were left out. {epochs} epochs in {minutes:.0f} minutes on {cores}
CPU cores shared with other work, seed {seed}, TensorFlow {tensorflow}, Keras {keras}. Shipped are the
averaged weights after epoch {shipped_epoch} ({checkpoint} checkpoint). Chosen on {chosen_on}. The curves
are in plots/history.png, every option is in meta.json.

```
python -m train fit --config {name} --data fer2013.csv --ferplus fer2013new.csv
python -m train export runs/{name} --data fer2013.csv --ferplus fer2013new.csv --out models/{name}
```
"""

_SCORES = """\
## Scores

On {usage}, by {litert_file}, one network, no averaging over views. {usage} was used to choose (see
above), so expect a little less on new pictures. Copies are rows whose exact pixels also stand in another
split or earlier in this one.

| against | rows | accuracy | 95 % interval | macro-F1 | without copies (rows) |
|---|---|---|---|---|---|
{score_rows}

The shown probability (seven expressions, against the FER+ majority, {shown_count:,} rows) has a
calibration error of {calibrated} with the temperature chosen by cross-fitting, {uncalibrated} without a
temperature. On the 80 % of faces of which it is surest it is right in {surest}. Below a confidence of
{unsure_below:g} a face is called unsure; of the others ({answered} of the faces) {answered_right} are
right.

```
python -m train evaluate models/{name} --data fer2013.csv --ferplus fer2013new.csv --usage {usage}
```
"""

_WEAKNESSES = """\
## Weaknesses

Recalled worst where it is the FER+ majority: {weakest}. Rare expressions have few rows, so their figures
are rough.

| FER+ majority | rows | precision | recall |
|---|---|---|---|
{class_rows}

The pictures were gathered by web searches in 2013, mostly posed, with unknown ages, origins and consent;
no score by group of people could be measured. The original label and the FER+ majority agree on
{agreement} of these pictures, so neither is the whole truth.
"""

_FILES = """\
## Files

{litert_file} is of the kind "{kind}": the fastest that loses less than 0.3 points on both outputs. Times
are of one face on one thread of the machine that exported; changes are against model.keras.

| kind | ms a face | MB | accuracy change, original / FER+ (points) | largest logit difference |
|---|---|---|---|---|
{file_rows}
"""


def write_model_card(path: Path, meta: dict[str, Any], history: list[dict[str, float]]) -> None:
    """Write the card of a model folder.

    Args:
        meta: as stored in meta.json.
        history: rows of the run's history.csv, up to the shipped epoch or further.
    """
    facts = {**_facts_of_training(meta, history), **_facts_of_scores(meta), **_tables(meta)}
    template = "\n".join((_WHAT, _TRAINING, _SCORES, _WEAKNESSES, _FILES))
    path.write_text(template.format(name=meta["name"], **facts), encoding="utf-8")


def _facts_of_training(meta: dict[str, Any], history: list[dict[str, float]]) -> dict[str, Any]:
    environment = meta["environment"]
    return {
        "millions": meta["parameters"] / 1e6,
        "height": meta["input"]["height"],
        "width": meta["input"]["width"],
        "labels": ", ".join(meta["labels"]),
        "training_rows": meta["data"]["training_rows"],
        "dropped_copies": meta["data"]["dropped_copies"],
        "epochs": len(history),
        "minutes": sum(row["seconds"] for row in history) / 60,
        "cores": environment["cpu_count"],
        "tensorflow": environment["tensorflow"],
        "keras": environment["keras"],
        "seed": meta["seed"],
        "shipped_epoch": meta["checkpoint"]["epoch"],
        "checkpoint": meta["checkpoint"]["kind"],
        "chosen_on": meta["chosen_on"],
    }


def _facts_of_scores(meta: dict[str, Any]) -> dict[str, Any]:
    metrics, shown = meta["metrics"], meta["metrics"]["shown"]
    classes = metrics["ferplus"]["classes"]
    return {
        "usage": metrics["data"]["usage"],
        "litert_file": LITERT_FILE,
        "kind": meta["litert"]["kind"],
        "shown_count": shown["count"],
        "calibrated": _percent(shown["calibration_error_cross_fitted"]),
        "uncalibrated": _percent(shown["calibration_error_at_temperature_1"]),
        "surest": _percent(shown["accuracy_at_coverage"]["0.8"]),
        "unsure_below": meta["unsure_below"],
        "answered": _percent(shown["unsure"]["answered_share"]),
        "answered_right": _percent(shown["unsure"]["accuracy_of_answered"]),
        "weakest": ", ".join(sorted(classes, key=lambda name: classes[name]["recall"])[:3]),
        "agreement": _percent(metrics["label_agreement"]),
    }


def _tables(meta: dict[str, Any]) -> dict[str, str]:
    metrics = meta["metrics"]
    score_rows = (
        _score_row("FER-2013's original labels", metrics["original"]),
        _score_row("FER+ majority of eight expressions", metrics["ferplus"]),
    )
    classes = metrics["ferplus"]["classes"].items()
    return {
        "score_rows": "\n".join(score_rows),
        "class_rows": "\n".join(_class_row(name, scores) for name, scores in classes),
        "file_rows": "\n".join(_file_row(each) for each in meta["litert_candidates"]),
    }


def _score_row(title: str, scores: dict[str, Any]) -> str:
    low, high = scores["interval_95"]
    rest = scores["without_copies"]
    return (
        f"| {title} | {scores['count']:,} | {_percent(scores['accuracy'])} "
        f"| {_percent(low)} to {_percent(high)} "
        f"| {_percent(scores['macro_f1'])} | {_percent(rest['accuracy'])} ({rest['count']:,}) |"
    )


def _class_row(name: str, scores: dict[str, Any]) -> str:
    return (
        f"| {name} | {scores['count']:,} | {_percent(scores['precision'])} | {_percent(scores['recall'])} |"
    )


def _file_row(candidate: dict[str, Any]) -> str:
    change = candidate["accuracy_change"]
    return (
        f"| {candidate['kind']} | {candidate['latency_ms']:.2f} | {candidate['size_bytes'] / 1e6:.1f} "
        f"| {100 * change['original']:+.2f} / {100 * change['ferplus']:+.2f} "
        f"| {candidate['largest_logit_difference']:.3f} |"
    )


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"
