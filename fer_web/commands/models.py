"""python -m fer_web models: the models that ship, and a check of one's own."""

import argparse
import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from fer_web.analysis.folders.labelled_images import find_labelled_images
from fer_web.analysis.folders.model_trial import (
    MIN_FACES,
    Fit,
    LabelledCrops,
    better_fit,
    cut_labelled,
    fits_by_accuracy,
    median_times_ms,
    score_classifier,
)
from fer_web.analysis.stills.images import ImageLimits, read_image
from fer_web.analysis.stills.stills import FACES, StillAnalyser
from fer_web.commands.analysis_options import MODEL_SETTINGS, open_analyser
from fer_web.commands.parsers import number_in, parser_with_examples
from fer_web.commands.test_folder import choose
from fer_web.errors import FolderError
from fer_web.inference.artifact import META_FILE, load_artifact
from fer_web.inference.custom.custom_classifier import CustomClassifier
from fer_web.inference.custom.opening import CustomModel
from fer_web.inference.custom.scaling import SCALINGS
from fer_web.inference.models import Model, open_model
from fer_web.labels import EMOTIONS
from fer_web.metrics.text_tables import certainty
from fer_web.settings import ROOT, Settings, add_setting_options, settings_of

_EXAMPLES: Final = """examples:
  python -m fer_web models list
  python -m fer_web models check my_model.keras
  python -m fer_web models check model.json,weights.h5 --labels angry,disgust,fear,happy,neutral,sad,surprise
  python -m fer_web models check my_model.h5 --scaling -1..1 --folder photos --json

check says what was read from the file and what was guessed, tries the model on a face, times it beside ours,
and with --folder DIR gives its accuracy on DIR/<expression>/*, and the scaling and order of outputs that fit.
exit status: 0 the model can be used, 1 it cannot, with the reason on standard error, 2 wrong arguments."""

DEFAULT_LIMIT: Final = 2000


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
    check.add_argument("--faces", choices=FACES, default="auto", help="as test-folder has it (default: auto)")
    check.add_argument(
        "--limit",
        type=number_in(1, 1_000_000),
        default=DEFAULT_LIMIT,
        metavar="N",
        help=f"images of the folder, chosen at random (default: {DEFAULT_LIMIT})",
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
    images = choose(find_labelled_images(given.folder).images, given.limit) if given.folder else ()
    model, analyser, _ = open_analyser(settings, "auto", warn=False)
    ours = open_model(Settings().model)
    theirs_ms, ours_ms = median_times_ms([model.new_classifier(), ours.new_classifier()])
    report = {
        "path": str(given.model),
        **_description(model),
        "face": _on_a_face(analyser, settings),
        "time_ms": {"model": theirs_ms, "ours": ours_ms},
        "folder": None,
        "better": None,
    }
    if images:
        faces = cut_labelled(images, analyser, ImageLimits.from_settings(settings), given.faces)
        if not len(faces.truth):
            raise FolderError(
                f"{given.folder}: no face was found in {len(images)} images. Try --faces whole."
            )
        report["folder"] = score_classifier(model.new_classifier(), faces)
        report["better"] = _better(model, faces)
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
            f"better    {100 * report['better']['accuracy']:.1f} % of these faces with --scaling "
            f"{report['better']['scaling']} --labels {','.join(report['better']['labels'])}"
        )
    elif report["folder"] and report["folder"]["faces"] < MIN_FACES:
        lines.append(f"better    not tried: it takes {MIN_FACES} faces to tell scalings and orders apart")
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
        own = {"format": "fer-web's own", "scaling": "0..255", "scaling_source": META_FILE, "colour": "grey"}
        return {**known, **own, "output": "logits", "labels": list(EMOTIONS)}
    reading, network = model.reading, model.network
    return {
        **known,
        "format": network.file_format,
        "input_channels": network.input.channels,
        "scaling": reading.scaling,
        "scaling_source": reading.scaling_source,
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


def _better(model: Model, faces: LabelledCrops) -> dict[str, Any] | None:
    if not isinstance(model, CustomModel):
        return None
    classifier = CustomClassifier(model.info, model.network, model.reading)
    labels, scaling = model.reading.labels, model.reading.scaling
    fits = fits_by_accuracy(classifier.outputs, labels, list(SCALINGS), faces)
    used = next(fit for fit in fits if (fit.scaling, fit.labels) == (scaling, labels))
    found: Fit | None = better_fit(fits, used, len(faces.truth))
    return {**vars(found), "labels": list(found.labels)} if found else None


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
