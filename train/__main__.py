"""Command line: python -m train fit|evaluate|report|export|certainty|card."""

import argparse
import json
import os
import shlex
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fer_web.errors import FerWebError
from fer_web.training_packages import require_packages

if TYPE_CHECKING:
    from train.data.fer_data import FerData

RUNS_DIR = Path("runs")
CACHE_DIR = Path(".cache/fer-web")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; errors go to stderr with exit status 1, Ctrl-C is 130 as in shells."""
    arguments = build_parser().parse_args(argv)
    # TensorFlow reports a missing GPU as an error; what matters comes as an exception.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        require_packages("Training", "tensorflow", "keras")
        arguments.command(arguments)
    except FerWebError as exc:
        return _fail(str(exc))
    except OSError as exc:
        # A full disk, a folder of somebody else's: the system's own words say which.
        return _fail(f"{exc}. Check that the folders can be written and that their disk has free space")
    except KeyboardInterrupt:
        return _fail(
            "stopped. The same fit command goes on after the last finished epoch; the others start anew",
            128 + signal.SIGINT,
        )
    return 0


def _fail(message: str, status: int = 1) -> int:
    print(f"error: {message}" if status == 1 else message, file=sys.stderr)
    return status


def build_parser() -> argparse.ArgumentParser:
    """Build all commands and options, each with an example in its help."""
    parser = argparse.ArgumentParser(prog="python -m train", description=__doc__)
    commands = parser.add_subparsers(required=True)
    fit = commands.add_parser(
        "fit",
        help="train a network",
        epilog="Example: python -m train fit --data fer2013.csv --ferplus fer2013new.csv --config bn4",
    )
    _add_data_options(fit)
    fit.add_argument(
        "--config", default="flagship", help="a name in train/configs or a TOML file [%(default)s]"
    )
    fit.add_argument("--run", type=Path, help="run folder, continued if it exists [runs/<network>]")
    fit.add_argument("--epochs", type=int, help="replaces the configuration's")
    fit.add_argument("--batch-size", type=int, help="replaces the configuration's")
    fit.add_argument("--seed", type=int, help="replaces the configuration's")
    fit.add_argument(
        "--teacher",
        action="append",
        metavar="PATH",
        help="run folder, model folder or .keras file to learn from; may be repeated",
    )
    fit.add_argument(
        "--start-from",
        metavar="PATH",
        help="run folder, model folder or .keras file whose weights are the first ones",
    )
    fit.add_argument(
        "--distribute", action="store_true", help="on all devices (several need KERAS_BACKEND=jax)"
    )
    fit.add_argument(
        "--tensorboard", action="store_true", help="write TensorBoard's files into the run folder"
    )
    fit.set_defaults(command=_fit)
    evaluate = commands.add_parser(
        "evaluate",
        help="score a model on one split",
        epilog="Example: python -m train evaluate models/flagship --data fer2013.csv "
        "--ferplus fer2013new.csv --usage PublicTest --json",
    )
    evaluate.add_argument("model", type=Path, help="a model folder or a .keras file")
    _add_data_options(evaluate)
    evaluate.add_argument("--usage", default="PublicTest", help="split to score [%(default)s]")
    evaluate.add_argument(
        "--runtime",
        choices=("litert", "keras"),
        default="litert",
        help="which file of a model folder runs [%(default)s, as in the live page]",
    )
    evaluate.add_argument(
        "--flip-average",
        action="store_true",
        help="score the mean of each image and its mirror image too, beside the plain scores",
    )
    evaluate.add_argument(
        "--robustness",
        action="store_true",
        help="score dark, blurred, noisy, small, turned, shifted and partly covered images too",
    )
    evaluate.add_argument("--json", action="store_true", help="print every metric as JSON")
    evaluate.add_argument("--out", type=Path, help="folder for report.txt, metrics.json and plots")
    evaluate.set_defaults(command=_evaluate)
    _add_report(commands)
    _add_export(commands)
    _add_certainty(commands)
    _add_card(commands)
    return parser


def _add_report(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    report = commands.add_parser(
        "report",
        help="put runs and models side by side",
        epilog="Example: python -m train report runs/* models/flagship --markdown",
    )
    report.add_argument(
        "sources",
        type=Path,
        nargs="+",
        metavar="RUN_OR_MODEL_OR_METRICS",
        help="run folders, model folders, or metrics.json files of evaluate --out (or folders with one)",
    )
    form = report.add_mutually_exclusive_group()
    form.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    form.add_argument("--json", action="store_true", help="print every figure as JSON")
    report.add_argument("--out", type=Path, help="folder for report.md, report.json and a plot of all curves")
    report.set_defaults(command=_report)


def _add_export(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    export = commands.add_parser(
        "export",
        help="write a model folder, and files for other programs, from a run or a model",
        epilog="Examples: python -m train export runs/flagship --data fer2013.csv --ferplus fer2013new.csv "
        "--out models/flagship; with models/flagship, --out elsewhere and --formats onnx: the shipped model "
        "as elsewhere/exports/model.onnx",
    )
    export.add_argument("source", type=Path, help="run folder, model folder or .keras file")
    _add_data_options(export)
    export.add_argument("--out", type=Path, required=True, help="model folder to write")
    export.add_argument(
        "--formats",
        default="all",
        help="all or some of keras,litert,savedmodel,h5,onnx; the last three go to OUT/exports [%(default)s]",
    )
    export.add_argument(
        "--checkpoint",
        choices=("last", "best"),
        default="last",
        help="of a run; best is by PublicTest [%(default)s]",
    )
    export.set_defaults(command=_export)


def _add_certainty(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    certainty = commands.add_parser(
        "certainty",
        help="fit what tells how certain a model's labels are, and write it into the model folder",
        epilog="Example: python -m train certainty models/flagship --data fer2013.csv "
        "--ferplus fer2013new.csv --photos photos.npz",
    )
    certainty.add_argument("model", type=Path, help="model folder")
    _add_data_options(certainty)
    certainty.add_argument(
        "--photos", type=Path, required=True, help="an .npz of photos: data, end and emotion (0-6)"
    )
    certainty.add_argument(
        "--examples",
        type=Path,
        default=CACHE_DIR / "certainty",
        help="folder that keeps the spoiled examples for the next fit [%(default)s]",
    )
    certainty.add_argument(
        "--blazeface",
        type=Path,
        default=Path("node_modules/@mediapipe/face_detection/face_detection_short_range.tflite"),
        help="the detector's file [%(default)s]",
    )
    certainty.set_defaults(command=_certainty)


def _add_card(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    card = commands.add_parser(
        "card",
        help="write a model folder's MODEL_CARD.md anew, with figures of the benchmarks",
        epilog="Example: python -m benchmarks.expressions --photos photos.npz --json > photos.json; "
        "python -m train card models/flagship --photos-json photos.json",
    )
    card.add_argument("model", type=Path, help="model folder")
    card.add_argument("--photos-json", type=Path, help="what benchmarks.expressions --json printed")
    card.add_argument("--times-json", type=Path, help="what benchmarks.models --json printed")
    card.set_defaults(command=_card)


def _add_data_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        help="Kaggle's fer2013.csv or icml_face_data.csv, a folder with "
        "train/<emotion>/ and test/<emotion>/, or an .npz of arrays",
    )
    parser.add_argument("--ferplus", type=Path, help="FER+'s fer2013new.csv for the same rows")
    parser.add_argument(
        "--cache",
        type=Path,
        default=CACHE_DIR,
        help="folder that keeps what was read from CSV files and pictures [%(default)s]",
    )


def _read_data(arguments: argparse.Namespace) -> "FerData":
    # Imported here and below: --help and argument errors need no TensorFlow.
    from train.data.fer_data import load_data
    from train.data.progress import watch

    return load_data(arguments.data, arguments.ferplus, cache_dir=arguments.cache, watch=watch)


def _data_words(arguments: argparse.Namespace) -> str:
    words = ["--data", str(arguments.data)]
    return shlex.join(words + (["--ferplus", str(arguments.ferplus)] if arguments.ferplus else []))


def _fit(arguments: argparse.Namespace) -> None:
    from train.config import FORMER_NAMES, load_config
    from train.fit.fit import FitOptions, fit
    from train.runs.run_folder import find_run

    config = load_config(
        arguments.config,
        epochs=arguments.epochs,
        batch_size=arguments.batch_size,
        seed=arguments.seed,
        start_from=arguments.start_from,
        teachers=arguments.teacher,
    )
    run_dir = arguments.run or RUNS_DIR / config.network.name
    # A run that was begun under the configuration's former name goes on there.
    if run_dir.name in FORMER_NAMES.values():
        run_dir = find_run(run_dir)
    data = _read_data(arguments)
    options = FitOptions(
        say=_say,
        shows_steps=sys.stderr.isatty(),
        writes_events=arguments.tensorboard,
        distributes=arguments.distribute,
    )
    fit(config, data, run_dir, options=options)
    # Not into models/: the network may have the name of the one that ships.
    _say(f"done. Next: python -m train export {run_dir} --out {run_dir / 'model'} {_data_words(arguments)}")


def _evaluate(arguments: argparse.Namespace) -> None:
    from train.evaluation.describe import describe
    from train.evaluation.evaluate import evaluate_model
    from train.evaluation.evaluation_plots import write_evaluation

    result = evaluate_model(
        arguments.model,
        _read_data(arguments),
        arguments.usage,
        runtime=arguments.runtime,
        flip_average=arguments.flip_average,
        robustness=arguments.robustness,
    )
    if arguments.out:
        write_evaluation(arguments.out, result)
    print(json.dumps(result, indent=2) if arguments.json else describe(result))


def _certainty(arguments: argparse.Namespace) -> None:
    from train.certainty.command import fit_model

    data = _read_data(arguments)
    fit_model(arguments.model, data, arguments.photos, arguments.blazeface, arguments.examples, _say)


def _report(arguments: argparse.Namespace) -> None:
    from train.evaluation.report import read_rows, table, write_report

    rows = read_rows(arguments.sources)
    if arguments.out:
        write_report(rows, arguments.out)
    if arguments.json:
        print(json.dumps([row.to_dict() for row in rows], indent=2))
    else:
        print(table(rows, markdown=arguments.markdown))


def _export(arguments: argparse.Namespace) -> None:
    from train.export.exported_files import export
    from train.export.file_formats import check_formats

    # Before the data is read, which takes a while.
    formats = check_formats(arguments.formats.split(","))
    data = _read_data(arguments)
    exported = export(
        arguments.source, data, arguments.out, formats=formats, checkpoint=arguments.checkpoint, say=_say
    )
    _say("written: " + ", ".join(map(str, exported.paths)))
    if exported.artifact:
        _say(f"done. Next: python -m train evaluate {exported.artifact.folder} {_data_words(arguments)}")


def _card(arguments: argparse.Namespace) -> None:
    from train.export.card_figures import rewrite_card

    print(f"written: {rewrite_card(arguments.model, arguments.photos_json, arguments.times_json)}")


def _say(line: str) -> None:
    # Flushed: long runs are followed through pipes and log files.
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
