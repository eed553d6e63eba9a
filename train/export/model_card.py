"""Write MODEL_CARD.md of a model folder, from its measured numbers only."""

from pathlib import Path
from typing import Any

from fer_web.inference.artifact import LITERT_FILE
from fer_web.metrics.text_tables import interval, percent
from train.evaluation.describe import markdown_table, points
from train.export.model_card_tables import (
    class_tables,
    file_tables,
    robustness_table,
    score_table,
)
from train.export.model_card_training import training_section
from train.export.parity import MAX_ACCURACY_DROP
from train.networks.activation_maps import CAM
from train.runs.run_folder import LABELS_AS_VOTES

_WHAT = """\
# {name}

A convolutional network of {millions:.2f} million parameters that names the facial expression in a grey
{height}x{width} picture of one face: {labels}. It has two outputs on one trunk: FER-2013's original
labels, and the votes of FER+'s ten taggers. What users see comes from the second, with contempt left out;
the share of "unknown" and "not-a-face" votes is used as uncertainty.{maps}

## Use

For showing people what their face expresses to others, for teaching and for experiments. An expression is
not an emotion: the network says what taggers would call a picture, not what the person feels. Do not use
it to judge anyone. Reading the emotions of people at work or in education is forbidden in the European
Union (AI Act, article 5(1)(f)).
"""

_MAPS = """ A third output, for heat maps,
has the second's logits for each cell before the average over cells: their mean is the logit. Cells see
much of the face around them, so a map is coarse: it tells what spoke for an expression, not its outline."""

_SCORES = """\
## Scores

On {usage}, by {litert_file}. {usage} was used to choose (see above), so expect a little less on new
pictures. Copies are rows whose exact pixels also stand in another split or earlier in this one. What ships
is one network without averaging over views; "mirrored too" is the mean with the mirror image, which costs
twice the time and is not what the live page does.

{score_table}

```
python -m train evaluate {folder} --data fer2013.csv --ferplus fer2013new.csv --usage {usage} \\
    --flip-average --robustness
```
"""

_PROBABILITY = """\
## The shown probability

Against the FER+ majority ({count:,} rows), the expected calibration error is {uncalibrated} as the network
gives it (temperature 1) and {calibrated} as shown (temperature {temperature:g}{offsets}); {cross_fitted}
when each fifth of the rows is judged by values chosen on the other four. On the 80 % of faces of which it is
surest it is right in {surest}.{unsure}
"""

_WEAKNESSES = """\
## Each expression

{weakest}Rare expressions have few rows, so their figures are rough.

{class_tables}

## Limits

The pictures were gathered by web searches in 2013, mostly posed, with unknown ages, origins and consent;
no score by group of people could be measured. The original label and the FER+ majority agree on
{agreement} of these pictures, so neither is the whole truth. A face that is turned far away or
under 16 pixels wide is outside what was measured here.
"""

_LICENCE = """\
## Licence and data

The weights are under this repository's licence (MIT). FER-2013 (Goodfellow et al. 2013, "Challenges in
representation learning") has pictures found by web searches, whose rights are their owners'; FER+ (Barsoum,
Zhang, Canton Ferrer, Zhang 2016) has votes for them. Neither is part of this repository.
"""


def write_model_card(folder: Path, meta: dict[str, Any]) -> None:
    """Write MODEL_CARD.md into a model folder.

    Args:
        folder: the plots that stand in its subfolder "plots" are shown.
        meta: as stored in meta.json.
    """
    name = folder.name if folder.parent.name == "models" else meta["name"]
    text = model_card(meta, list_plots(folder), name)
    (folder / "MODEL_CARD.md").write_text(text, encoding="utf-8")


def list_plots(folder: Path) -> list[str]:
    """Return the names of the pictures in a model folder's "plots"."""
    return sorted(path.name for path in (folder / "plots").glob("*.png"))


def model_card(meta: dict[str, Any], plots: list[str], folder_name: str = "") -> str:
    """Return the card's text; parts of which nothing was measured are left out.

    Args:
        plots: names of the pictures in the subfolder "plots".
        folder_name: of the model folder below models/, for commands; "" is the network's name.
    """
    folder = f"models/{folder_name or meta['name']}"
    sections = [
        _what(meta),
        _judges(meta),
        training_section(meta, folder),
        _scores(meta, folder),
        _probability(meta),
        _weaknesses(meta),
        _robustness(meta),
        _photos(meta),
        _files(meta),
        _plots(plots),
        _LICENCE,
    ]
    return "\n".join(section for section in sections if section)


def _what(meta: dict[str, Any]) -> str:
    return _WHAT.format(
        maps=_MAPS if CAM in meta.get("outputs", {}) else "",
        name=meta["name"],
        millions=meta["parameters"] / 1e6,
        height=meta["input"]["height"],
        width=meta["input"]["width"],
        labels=", ".join(meta["labels"]),
    )


def _judges(meta: dict[str, Any]) -> str:
    if meta.get("judged_by") != LABELS_AS_VOTES:
        return ""
    return (
        "## No votes\n\nThere were no FER+ votes: wherever this card says FER+ majority, the original label "
        "stands\nfor it, and the commands below go without --ferplus.\n"
    )


def _scores(meta: dict[str, Any], folder: str) -> str:
    return _SCORES.format(
        folder=folder,
        usage=meta["metrics"]["data"]["usage"],
        litert_file=LITERT_FILE,
        score_table=score_table(meta["metrics"]),
    )


def _probability(meta: dict[str, Any]) -> str:
    shown = meta["metrics"]["shown"]
    unsure, text = shown["unsure"], ""
    if unsure:
        text = (
            f" Below a confidence of {meta['unsure_below']:g} a face is called unsure; of the others "
            f"({percent(unsure['answered_share'])} of the faces) "
            f"{percent(unsure['accuracy_of_answered'])} are right."
        )
    has_offsets = any(meta.get("logit_offsets", ()))
    return _PROBABILITY.format(
        count=shown["count"],
        uncalibrated=percent(shown["calibration_error_at_temperature_1"]),
        calibrated=percent(shown["calibration_error"]),
        temperature=meta["temperature"],
        offsets=" and an offset for each expression" if has_offsets else "",
        cross_fitted=percent(shown["calibration_error_cross_fitted"]),
        surest=percent(shown["accuracy_at_coverage"]["0.8"]),
        unsure=text,
    )


def _weaknesses(meta: dict[str, Any]) -> str:
    metrics = meta["metrics"]
    classes = metrics["ferplus"]["classes"]
    present = [name for name in classes if classes[name]["count"]]
    worst = sorted(present, key=lambda name: classes[name]["recall"])[:3]
    return _WEAKNESSES.format(
        weakest=f"Recalled worst where it is the FER+ majority: {', '.join(worst)}. " if worst else "",
        class_tables=class_tables(metrics),
        agreement=percent(metrics["label_agreement"]),
    )


def _robustness(meta: dict[str, Any]) -> str:
    rows = meta["metrics"].get("robustness")
    if not rows:
        return ""
    worst = meta["metrics"]["robustness_worst"]
    return (
        "## Poor pictures\n\n"
        "The same rows, changed; in brackets the difference to the unchanged ones in points. The worst is "
        f'"{worst["name"]}" with {points(worst["change"])}.\n\n{robustness_table(rows)}\n'
    )


def _photos(meta: dict[str, Any]) -> str:
    photos = meta.get("photos")
    if not photos:
        return ""
    rows = [
        [
            name,
            f"{each['photos']:,}",
            str(each["not_found"]),
            percent(each["recall"]),
            interval(each["interval_95"]),
        ]
        for name, each in photos["expressions"].items()
    ]
    header = ["label of the photo", "photos", "no face found", "recall", "95 % interval (%)"]
    found = photos["photos"] - photos["not_found"]
    right = sum(each["labels"][name] for name, each in photos["expressions"].items())
    return (
        "## Real photos\n\n"
        f"{photos['photos']:,} labelled photos of another source through the whole pipeline, from the file\n"
        f"to the shown label: in {photos['not_found']:,} no face was found; of the others "
        f"{percent(right / found if found else None)}\nare labelled as the photo is. Recall is of the faces "
        "found.\n\n"
        f"{markdown_table([header, *rows])}\n\n```\nmake bench-photos PHOTOS=photos.npz\n```\n"
    )


def _files(meta: dict[str, Any]) -> str:
    text = (
        f'## Files\n\n{LITERT_FILE} is of the kind "{meta["litert"]["kind"]}": the fastest, or as fast and '
        f"closer to the network, of\nthose that lose less than {100 * MAX_ACCURACY_DROP:g} points on both "
        "outputs. Times are of one face on one thread of the machine\nthat exported; changes are against the "
        f"Keras network over {meta['metrics']['data']['usage']}, each file opened by its own library.\n\n"
        f"{file_tables(meta)}\n"
    )
    return text + _times(meta)


def _times(meta: dict[str, Any]) -> str:
    times = meta.get("times")
    if not times:
        return ""
    header = ["file", "parameters", "ms a face", "beside it the shipped file takes"]
    rows = [
        [
            f"{each['name']}, {each['kind']}",
            f"{each['parameters']:,}",
            f"{each['median_ms']:.2f}",
            f"{each['shipped_takes_times']:.2f} times as long",
        ]
        for each in times["files"]
    ]
    return (
        f"\nBeside mini-Xception, all in turns on one thread (`make bench-models`):\n\n"
        f"{markdown_table([header, *rows])}\n"
    )


def _plots(plots: list[str]) -> str:
    if not plots:
        return ""
    links = [f"![{Path(name).stem.replace('_', ' ')}](plots/{name})" for name in plots]
    return "## Plots\n\n" + "\n\n".join(links) + "\n"
