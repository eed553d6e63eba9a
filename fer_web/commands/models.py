"""python -m fer_web models: the models that ship, and a check of one's own."""

import argparse
import importlib.util
import json
import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from fer_web.analysis.folders.labelled_images import find_labelled_images
from fer_web.analysis.folders.model_trial import (
    MIN_FACES,
    Fit,
    LabelledCrops,
    better_fit,
    cut_labelled,
    logits_of_views,
    median_times_ms,
    score_classifier,
    search_fits,
)
from fer_web.analysis.stills.images import ImageLimits, read_image
from fer_web.analysis.stills.stills import FACES, StillAnalyser
from fer_web.commands.analysis_options import MODEL_SETTINGS, open_analyser
from fer_web.commands.parsers import number_in, parser_with_examples
from fer_web.commands.test_folder import add_layout_option, choose
from fer_web.errors import FolderError
from fer_web.inference.artifact import META_FILE, load_artifact
from fer_web.inference.classifier import Classifier
from fer_web.inference.custom.custom_classifier import CustomClassifier
from fer_web.inference.custom.opening import CustomModel
from fer_web.inference.custom.options import COLOURS
from fer_web.inference.custom.scaling import CAFFE, FER2013_GREY, IMAGENET, PICTURE, SCALINGS
from fer_web.inference.models import Model, open_model
from fer_web.labels import EMOTIONS
from fer_web.metrics.temperature import calibrate
from fer_web.metrics.text_tables import align, certainty, percent
from fer_web.settings import ROOT, Settings, add_setting_options, settings_of
from fer_web.vision.preprocess import CROPS, FER_CROP

_EXAMPLES: Final = """examples:
  python -m fer_web models list
  python -m fer_web models check my_model.keras
  python -m fer_web models check model.json,weights.h5 --labels angry,disgust,fear,happy,neutral,sad,surprise
  python -m fer_web models check my_model.h5 --scaling -1..1 --folder photos --json

check says what was read from the file and what was guessed, tries the model on a face, times it beside ours,
and with --folder DIR gives its accuracy on DIR/<expression>/*, tries orders of outputs, scalings, colours and
crops, and prints the command that fits best. --calibrate fits its confidence to that folder.
exit status: 0 the model can be used, 1 it cannot, with the reason on standard error, 2 wrong arguments."""

DEFAULT_LIMIT: Final = 2000
_LISTED_FITS: Final = 5


def add_models(tools: Any) -> None:
    """Add the tool to the command line."""
    models = parser_with_examples(
        tools.add_parser, "models", help="list the models that ship, check one of your own", epilog=_EXAMPLES
    )
    commands = models.add_subparsers(title="commands", required=True, metavar="COMMAND")
    listing = parser_with_examples(
        commands.add_parser, "list", help="the models that ship, with their figures", epilog=_EXAMPLES
    )
    listing.set_defaults(run=run_list)
    listing.add_argument("--json", action="store_true", help="print the result as JSON")
    _add_check(commands)


def _add_check(commands: Any) -> None:
    check = parser_with_examples(commands.add_parser, "check", help="try a model out", epilog=_EXAMPLES)
    check.set_defaults(run=run_check)
    check.add_argument("model", type=Path, metavar="PATH", help="file or folder, as --model takes it")
    add_setting_options(check, MODEL_SETTINGS)
    check.add_argument("--folder", type=Path, metavar="DIR", help="labelled images: DIR/<expression>/*")
    add_layout_option(check)
    check.add_argument("--faces", choices=FACES, default="auto", help="as test-folder has it (default: auto)")
    check.add_argument(
        "--limit",
        type=number_in(1, 1_000_000),
        default=DEFAULT_LIMIT,
        metavar="N",
        help=f"images of the folder, chosen at random (default: {DEFAULT_LIMIT})",
    )
    check.add_argument(
        "--calibrate", action="store_true", help="fit the confidence to --folder; prints --temperature"
    )
    check.add_argument("--json", action="store_true", help="print the result as JSON")


def run_list(given: argparse.Namespace, _environment: Mapping[str, str]) -> int:
    """Print the models in models/."""
    found = [_figures(path.parent) for path in sorted((ROOT / "models").glob(f"*/{META_FILE}"))]
    if given.json:
        print(json.dumps(found, indent=1))
        return 0
    for row in found:
        print(
            f"{row['folder']}  {row['parameters']} parameters, {row['size_bytes'] / 1e6:.1f} MB, sha256 "
            f"{row['sha256'][:12]}\n  PublicTest: {100 * row['accuracy_ferplus']:.1f} % of the FER+ "
            f"majority, {100 * row['accuracy_original']:.1f} % of the original labels"
        )
    return 0


def run_check(given: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Open a model, try it, and print what is known of it."""
    settings = settings_of(given, environment)
    if given.calibrate and not given.folder:
        raise FolderError("--calibrate needs labelled images: give --folder DIR.")
    images = (
        choose(find_labelled_images(given.folder, given.layout).images, given.limit) if given.folder else ()
    )
    model, analyser, _ = open_analyser(settings, "auto", warn=False, may_guess=bool(images))
    ours = open_model(Settings().model)
    theirs_ms, ours_ms = median_times_ms([model.new_classifier(), ours.new_classifier()])
    report = {
        "path": str(given.model),
        **_description(model),
        "face": _on_a_face(analyser, settings),
        "time_ms": {"model": theirs_ms, "ours": ours_ms},
        "folder": None,
        "better": None,
        "tried": [],
        "calibration": None,
    }
    if images:
        trial = _in_colour(model)
        others = list(CROPS) if isinstance(model, CustomModel) else []
        cutter = StillAnalyser(trial, analyser.detector, settings.max_faces)
        limits = ImageLimits.from_settings(settings)
        faces = cut_labelled(images, cutter, limits, given.faces, others)
        if not len(faces.truth):
            raise FolderError(
                f"{given.folder}: no face was found in {len(images)} images. Try --faces whole."
            )
        report["folder"] = score_classifier(trial, faces)
        _judge(report, model, trial, faces, given.calibrate)
    report["command"] = _command(report, settings)
    print(json.dumps(report, indent=1, ensure_ascii=False) if given.json else describe_check(report))
    return 0


def describe_check(report: dict[str, Any]) -> str:
    """The report of a check as text."""
    height, width = report["size_hw"]
    lines = [
        f"{report['path']}: {report['format']}, sha256 {report['sha256'][:12]}",
        f"input     {height} x {width} pixels, {report['input_channels']} channels ({report['colour']})",
        f"scaling   {report['scaling']} ({report['scaling_source']})",
        f"outputs   {report['output']}: {','.join(report['labels'])}",
        *(
            [f"missing   {', '.join(report['missing'])}: no face is ever called that"]
            if report["missing"]
            else []
        ),
        f"time      {report['time_ms']['model']:.2f} ms a face; ours {report['time_ms']['ours']:.2f} ms",
    ]
    if report["face"]:
        best = max(report["face"], key=report["face"].__getitem__)
        lines.append(f"a face    {best} {certainty(report['face'][best])} (portrait of Grace Hopper)")
    if report["folder"]:
        low, high = (100 * each for each in report["folder"]["interval_95"])
        lines.append(
            f"accuracy  {100 * report['folder']['accuracy']:.1f} % ({low:.1f} to {high:.1f}) of "
            f"{report['folder']['faces']} faces; in {report['folder']['no_face']} images there was none, "
            f"{report['folder']['unreadable']} could not be read"
        )
        if report["folder"]["accuracy_original"] is not None:
            original = 100 * report["folder"]["accuracy_original"]
            lines.append(f"original  {original:.1f} % by the output for FER-2013's own labels")
    lines += [f"warning   {text}" for text in report["warnings"]]
    if report["better"]:
        lines.append(
            f"better    {percent(report['better']['accuracy'])} of these faces with "
            f"{_as_options(report['better'])}"
        )
    elif report["folder"] and report["folder"]["faces"] < MIN_FACES:
        lines.append(f"better    not tried: it takes {MIN_FACES} faces to tell scalings and orders apart")
    lines += _tried(report) + _calibration(report)
    if report["command"]:
        lines.append(f"use       {report['command']}")
    return "\n".join(lines)


def _description(model: Model) -> dict[str, Any]:
    info = model.info
    known: dict[str, Any] = {
        "name": info.name,
        "sha256": info.model_hash,
        "size_hw": list(info.size_hw),
        "input_channels": info.channels,
        "unsure_below": info.unsure_below,
        "is_calibrated": info.is_calibrated,
        "warnings": list(model.warnings),
    }
    if not isinstance(model, CustomModel):
        own: dict[str, Any] = {
            "format": "fer-web's own",
            "scaling": "0..255",
            "scaling_source": META_FILE,
            "colour": "grey",
        }
        own |= {"crop": FER_CROP, "missing": []}
        return {**known, **own, "output": "logits", "labels": list(EMOTIONS)}
    reading, network = model.reading, model.network
    return {
        **known,
        "format": network.file_format,
        "input_channels": network.input.channels,
        "scaling": reading.scaling,
        "scaling_source": reading.scaling_source,
        "crop": info.crop,
        "missing": list(info.missing),
        "colour": reading.colour if network.input.channels == 3 else "grey",
        "output": reading.output,
        "labels": list(reading.labels),
    }


def _on_a_face(analyser: StillAnalyser, settings: Settings) -> dict[str, float] | None:
    """Scores for a portrait that comes with matplotlib, None where that is not installed."""
    spec = importlib.util.find_spec("matplotlib")
    folders = spec.submodule_search_locations if spec else None
    path = Path(folders[0]) / "mpl-data" / "sample_data" / "grace_hopper.jpg" if folders else None
    if path is None or not path.is_file():
        return None
    picture = read_image(path, ImageLimits.from_settings(settings))
    result = analyser.analyse(picture.frame_bgr, "auto")
    if not result.faces:
        return None
    return dict(zip(EMOTIONS, result.faces[result.largest].raw_scores, strict=True))


def _in_colour(model: Model) -> Classifier:
    """A classifier that takes crops in colour where its network can, so that all colours can be tried."""
    if not isinstance(model, CustomModel) or model.network.input.channels == 1:
        return model.new_classifier()
    return CustomClassifier(replace(model.info, channels=3), model.network, model.reading)


def _judge(
    report: dict[str, Any], model: Model, trial: Classifier, faces: LabelledCrops, calibrates: bool
) -> None:
    """Add to a report what other options would do, and what a temperature does to the confidence."""
    best = None
    if isinstance(trial, CustomClassifier) and isinstance(model, CustomModel):
        channels = model.network.input.channels
        reading = model.reading
        colours = COLOURS if channels == 3 else (reading.colour,)
        used = Fit(reading.scaling, reading.labels, 0.0, reading.colour, model.info.crop)
        scalings = dict.fromkeys([reading.scaling, *SCALINGS, *_SCALINGS[channels]])
        fits = search_fits(trial.outputs, used, list(scalings), colours, faces)
        used = next(fit for fit in fits if not fit.changes(used))
        best = better_fit(fits, used, len(faces.truth))
        report["better"] = _fit_of(best) if best else None
        report["tried"] = [_fit_of(fit) for fit in fits]
    if calibrates:
        report["calibration"] = _calibrated(model, trial, faces, best)


_SCALINGS: Final = {1: (FER2013_GREY, PICTURE), 3: (IMAGENET, CAFFE, PICTURE)}
"""Tried beside SCALINGS for networks of so many channels."""


def _fit_of(fit: Fit) -> dict[str, Any]:
    return {**vars(fit), "labels": list(fit.labels)}


def _calibrated(model: Model, trial: Classifier, faces: LabelledCrops, best: Fit | None) -> dict[str, Any]:
    if len(faces.truth) < MIN_FACES:
        raise FolderError(f"--calibrate takes {MIN_FACES} faces at least; {len(faces.truth)} were found.")
    if not isinstance(model, CustomModel) or not isinstance(trial, CustomClassifier):
        raise FolderError("--calibrate is for models of others: this one's confidence is calibrated.")
    reading, crops = replace(model.reading, temperature=0.0), faces.crops
    if best is not None:
        reading = replace(reading, scaling=best.scaling, labels=best.labels, colour=best.colour)
        crops = crops if best.crop == model.info.crop else faces.others[best.crop]
    logits = logits_of_views(CustomClassifier(trial.info, model.network, reading).logits, crops)
    # Faces of an expression that it cannot name would only say that it is always wrong about them.
    places = {EMOTIONS.index(name): place for place, name in enumerate(_sayable(reading.labels))}
    kept = np.isin(faces.truth[: len(logits)], list(places))
    truth = np.array([places[int(each)] for each in faces.truth[: len(logits)][kept]], np.int64)
    return vars(calibrate(logits[kept], truth))


def _sayable(labels: tuple[str, ...]) -> list[str]:
    return [name for name in EMOTIONS if name in labels]


def _as_options(fit: dict[str, Any]) -> str:
    options = ["--scaling", fit["scaling"], "--labels", ",".join(fit["labels"])]
    options += ["--colour", fit["colour"]] if fit["colour"] != COLOURS[0] else []
    return shlex.join([*options, *(["--crop", fit["crop"]] if fit["crop"] != FER_CROP else [])])


def _command(report: dict[str, Any], settings: Settings) -> str | None:
    """The command that serves a model of others as it does best; None for ours, which needs no options."""
    if "sha256" not in report or report["scaling_source"] == META_FILE:
        return None
    options = f"python app.py --model {shlex.quote(report['path'])} {_as_options(report['better'] or report)}"
    temperature = report["calibration"]["temperature"] if report["calibration"] else settings.temperature
    options += f" --temperature {temperature:.3f}" if temperature else ""
    return options + (" --trust" if settings.trust == "on" else "")


def _tried(report: dict[str, Any]) -> list[str]:
    """The best ways to feed a network, as a table."""
    best = report["tried"][:_LISTED_FITS]
    rows = [["tried", "accuracy", "scaling", "colour", "crop", "order"]]
    for fit in best:
        order = "as given" if fit["labels"] == report["labels"] else ",".join(fit["labels"])
        rows.append(["", percent(fit["accuracy"]), fit["scaling"], fit["colour"], fit["crop"], order])
    return [align(rows, "")] if best else []


def _calibration(report: dict[str, Any]) -> list[str]:
    found = report["calibration"]
    if not found:
        return []
    return [
        f"confident {percent(found['confidence_before'])} on average before and "
        f"{percent(found['confidence_after'])} after a temperature of {found['temperature']:.3f}; "
        f"{percent(found['accuracy'])} of {found['count']} faces are right",
        f"ECE       {percent(found['ece_before'])} before, {percent(found['ece_after'])} after: the mean "
        "distance of confidence and share that is right, of each half by the other's temperature",
    ]


def _figures(folder: Path) -> dict[str, Any]:
    artifact = load_artifact(folder)
    meta = json.loads((folder / META_FILE).read_text(encoding="utf-8"))
    return {
        "name": artifact.name,
        "folder": folder.relative_to(ROOT).as_posix(),
        "sha256": artifact.model_hash,
        "parameters": meta["parameters"],
        "size_bytes": artifact.litert_path.stat().st_size,
        "accuracy_ferplus": meta["metrics"]["ferplus"]["accuracy"],
        "accuracy_original": meta["metrics"]["original"]["accuracy"],
    }
