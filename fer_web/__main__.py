"""python -m fer_web --help"""

import argparse
import os
import sys


def run() -> int:
    """Run one tool. Where packages are missing, doctor still runs, and the others say what to do."""
    try:
        from fer_web.commands.main import main
    except ImportError as exc:
        if sys.argv[1:2] == ["doctor"]:
            return _run_doctor_alone()
        print(f"fer-web: {exc}. See what is missing: python -m fer_web doctor", file=sys.stderr)
        return 1
    return main(sys.argv[1:], os.environ)


def _run_doctor_alone() -> int:
    from fer_web.commands.doctor import add_doctor, run_doctor

    parser = argparse.ArgumentParser(prog="python -m fer_web")
    add_doctor(parser.add_subparsers(required=True, metavar="TOOL"))
    return run_doctor(parser.parse_args(), os.environ)


if __name__ == "__main__":
    sys.exit(run())
