"""Score networks alone and together: python -m benchmarks.ensembles RUN RUN... --data FILE.

Together, each picture has the mean of their logits. "Mirrored" is the mean with those of the mirror
image, which the live page does not compute. The surest four fifths are those of the faces with a
FER+ majority, by the shown label's confidence without offsets, cross-fitted. A teacher is worth
what it adds to others here.
"""

from collections.abc import Sequence
from pathlib import Path

import keras

from benchmarks.options import add_data, load_public_test, new_parser
from fer_web.errors import FerWebError
from fer_web.inference.classifier import Logits
from fer_web.metrics.text_tables import align, percent
from train.data.fer_data import FerData
from train.metrics.calibration import cross_fit, emotion_of
from train.metrics.metrics import accuracies, ferplus_majority, risk_coverage
from train.runs.model_outputs import average_logits, run_keras
from train.runs.trained_network import open_source

HEADER = ["networks", "original", "FER+", "surest 80 %", "mirrored: original", "FER+", "surest 80 %"]


def main() -> None:
    """Print one line for each network, and one for all of several."""
    parser = new_parser(__doc__)
    parser.add_argument("sources", nargs="+", type=Path, help="run folders, model folders or .keras files")
    add_data(parser)
    options = parser.parse_args()
    if len(set(options.sources)) < len(options.sources):
        parser.error("a network is named twice. Name each once")
    try:
        part = load_public_test(options)
        answers = {str(path): answers_of(open_source(path).model, part) for path in options.sources}
    except FerWebError as exc:
        raise SystemExit(f"error: {exc}") from exc
    print(describe(answers, part))


def answers_of(model: keras.Model, part: FerData) -> tuple[Logits, Logits]:
    """Return a network's logits of the rows, and their means with those of the mirror images."""
    plain = run_keras(model, part.images)
    return plain, average_logits(plain, run_keras(model, part.images[:, :, ::-1]))


def describe(answers: dict[str, tuple[Logits, Logits]], part: FerData) -> str:
    """Return the table.

    Args: answers: of each network, to the rows of `part`, plain and mirrored.
    """
    rows = [HEADER, *([name, *_cells(each, part)] for name, each in answers.items())]
    if len(answers) > 1:
        plain, mirrored = (average_logits(*each) for each in zip(*answers.values(), strict=True))
        rows.append(["together", *_cells((plain, mirrored), part)])
    return align(rows, "")


def _cells(answers: Sequence[Logits], part: FerData) -> list[str]:
    majority, counts = ferplus_majority(part.known_votes)
    cells = []
    for logits in answers:
        shown = cross_fit(logits.ferplus[counts], majority[counts])
        right = shown.argmax(axis=1) == emotion_of(majority[counts])
        surest = risk_coverage(shown.max(axis=1), right).accuracy_at(0.8)
        cells += [*(percent(each, 2) for each in accuracies(logits, part).values()), percent(surest, 2)]
    return cells


if __name__ == "__main__":
    main()
