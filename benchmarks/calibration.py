"""Compare what each kind of calibration gives, cross-fitted: python -m benchmarks.calibration
--data FILE.

Every kind is scored on PublicTest's faces with a FER+ majority, each fifth by parameters from the
other four. The first row is a temperature alone; the others have offsets of the seven logits too,
fitted by each of `train.metrics.calibration.BALANCES`; `python -m train export` chooses among them.
"If exact" is the error that exactly right probabilities would have by chance.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.options import add_data, load_public_test, new_parser
from fer_web.errors import FerWebError
from fer_web.labels import EMOTIONS
from fer_web.metrics.text_tables import align, percent
from fer_web.settings import Settings
from train.metrics.calibration import BALANCES, choose_balance, cross_fit, emotion_of
from train.metrics.metrics import expected_calibration_error, ferplus_majority, risk_coverage
from train.metrics.probability_metrics import calibration_error_if_exact, equal_mass_calibration_error
from train.runs.model_outputs import predict

HEADER = ["offsets", "error", "equal mass", "if exact", "accuracy", "surest 80 %", "mean recall", *EMOTIONS]


def main() -> None:
    """Print one line for each kind."""
    parser = new_parser(__doc__)
    add_data(parser)
    parser.add_argument("--model", type=Path, default=Settings().model, help="model folder [%(default)s]")
    options = parser.parse_args()
    try:
        part = load_public_test(options)
        logits = predict(options.model, part.images).logits.ferplus
    except FerWebError as exc:
        raise SystemExit(f"error: {exc}") from exc
    majority, counts = ferplus_majority(part.known_votes)
    print(describe(logits[counts], majority[counts]))


def describe(ferplus_logits: NDArray[np.floating], majority: NDArray[np.integer]) -> str:
    """Return the table, and which kind an export would take.

    Args: ferplus_logits: (N, 10). majority: (N,), columns of FERPLUS_VOTES.
    """
    rows = [HEADER]
    for balance in (None, *BALANCES):
        scores = cross_fit(ferplus_logits, majority, balance)
        rows.append([_name(balance), *_cells(scores, emotion_of(majority))])
    return align(rows, "") + f"\nan export takes: {_name(choose_balance(ferplus_logits, majority))}"


def _name(balance: float | None) -> str:
    return "none" if balance is None else f"balance {balance:g}"


def _cells(scores: NDArray[np.float32], truth: NDArray[np.int64]) -> list[str]:
    confidence, right = scores.max(axis=1), scores.argmax(axis=1) == truth
    recalls = [float(right[truth == label].mean()) if (truth == label).any() else None for label in range(7)]
    present = [recall for recall in recalls if recall is not None]
    return [
        percent(expected_calibration_error(confidence, right), 2),
        percent(equal_mass_calibration_error(confidence, right), 2),
        percent(calibration_error_if_exact(confidence)[0], 2),
        percent(float(right.mean()), 2),
        percent(risk_coverage(confidence, right).accuracy_at(0.8)),
        percent(float(np.mean(present))),
        *(percent(recall) for recall in recalls),
    ]


if __name__ == "__main__":
    main()
