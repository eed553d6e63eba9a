"""Command line: python -m train fit|evaluate|export."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from fer_web.errors import FerWebError

RUNS_DIR = Path("runs")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; errors go to stderr with exit status 1."""
    arguments = build_parser().parse_args(argv)
    try:
        arguments.command(arguments)
    except FerWebError as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 1
    return 0


def build_parser() -> argparse.ArgumentParser:
    """All commands and options, each with an example in its help."""
    parser = argparse.ArgumentParser(prog="python -m train", description=__doc__)
    commands = parser.add_subparsers(required=True)
    fit = commands.add_parser(
        "fit",
        help="train a network",
        epilog="Example: python -m train fit --data fer2013.csv --ferplus fer2013new.csv",
    )
    _add_data_options(fit)
    fit.add_argument(
        "--config", default="flagship", help="a name in train/configs or a TOML file [%(default)s]"
    )
    fit.add_argument("--run", type=Path, help="run folder, continued if it exists [runs/<network>]")
    fit.add_argument("--epochs", type=int, help="replaces the configuration's")
    fit.add_argument("--batch-size", type=int, help="replaces the configuration's")
    fit.add_argument("--seed", type=int, help="replaces the configuration's")
    fit.set_defaults(command=_fit)
    return parser


def _add_data_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, required=True, help="Kaggle's fer2013.csv, or an .npz of its arrays"
    )
    parser.add_argument("--ferplus", type=Path, help="FER+'s fer2013new.csv for the same rows")


def _fit(arguments: argparse.Namespace) -> None:
    # Imported here: --help and argument errors need no TensorFlow.
    from train.config import load_config
    from train.data import load_data
    from train.fit import fit

    config = load_config(
        arguments.config, epochs=arguments.epochs, batch_size=arguments.batch_size, seed=arguments.seed
    )
    run_dir = arguments.run or RUNS_DIR / config.network.name
    fit(
        config,
        load_data(arguments.data, arguments.ferplus),
        run_dir,
        say=lambda line: print(line, flush=True),
    )
    print(
        f"done: python -m train export {run_dir} --data {arguments.data} --out models/{config.network.name}"
    )


if __name__ == "__main__":
    sys.exit(main())
