"""Time one face on one thread with LiteRT, beside mini-Xception: python -m benchmarks.models.

mini-Xception (Arriaga, Valdenegro-Toro, Ploeger 2017, "Real-time convolutional neural networks for
emotion and gender classification") is what popular tools carry. It stands here twice, with fresh
weights, which cost the same time as trained ones: for 64x64 pixels as published, and as our own
configuration for 48x48. Each is converted to float32 and to the kind of file that the shipped model
has. All take turns, a few calls each, so that a noisy machine hits all alike; ratios are medians
over the turns.
"""

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.options import new_parser
from fer_web.errors import FerWebError
from fer_web.inference.artifact import META_FILE, load_artifact
from fer_web.settings import Settings

PUBLISHED_SIDE, PUBLISHED_CLASSES = 64, 7
SAMPLES = 50
"""So many pictures of noise stand for photos where int8 looks for the ranges of activations."""


@dataclass(frozen=True)
class Contestant:
    """It is one file in the run.

    Attributes:
        parameters: of the network it was converted from.
    """

    name: str
    kind: str
    path: Path
    parameters: int

    @property
    def title(self) -> str:
        """Return the name as it is printed."""
        return f"{self.name}, {self.kind}"


def published_mini_xception() -> Any:
    """Return the published network for 64x64 pixels and seven classes: 58,423 parameters."""
    import keras
    from keras import layers

    def conv(x: Any, filters: int, kernel_size: int = 3, **options: Any) -> Any:
        return layers.BatchNormalization()(layers.Conv2D(filters, kernel_size, use_bias=False, **options)(x))

    def separable(x: Any, filters: int) -> Any:
        x = layers.SeparableConv2D(filters, 3, padding="same", use_bias=False)(x)
        return layers.BatchNormalization()(x)

    image = keras.Input((PUBLISHED_SIDE, PUBLISHED_SIDE, 1))
    x = layers.ReLU()(conv(image, 8))
    x = layers.ReLU()(conv(x, 8))
    for filters in (16, 32, 64, 128):
        shortcut = conv(x, filters, 1, strides=2, padding="same")
        x = separable(layers.ReLU()(separable(x, filters)), filters)
        x = layers.Add()([layers.MaxPooling2D(3, strides=2, padding="same")(x), shortcut])
    x = layers.Conv2D(PUBLISHED_CLASSES, 3, padding="same")(x)
    return keras.Model(image, layers.Softmax()(layers.GlobalAveragePooling2D()(x)))


def own_mini_xception() -> Any:
    """Return our configuration `mini_xception`, for 48x48 pixels and both outputs."""
    from train.config import load_config
    from train.networks.networks import build_network

    return build_network(load_config("mini_xception").network)


def enter(model_dir: Path, folder: Path) -> list[Contestant]:
    """Enter the shipped file first, then everything beside it. Raises ModelArtifactError."""
    from train.export.litert_files import convert
    from train.runs.model_outputs import load_keras

    artifact = load_artifact(model_dir)
    meta = json.loads((model_dir / META_FILE).read_text(encoding="utf-8"))
    kind, parameters = str(meta["litert"]["kind"]), int(meta["parameters"])
    contestants = [Contestant(artifact.name, kind, artifact.litert_path, parameters)]
    others = {
        artifact.name: lambda: load_keras(artifact.keras_path),
        "mini-Xception 64x64": published_mini_xception,
        "mini-Xception 48x48": own_mini_xception,
    }
    rng = np.random.default_rng(0)
    for name, build in others.items():
        model = build()
        samples = rng.integers(0, 256, (SAMPLES, *model.input_shape[1:3]), np.uint8)
        for each in dict.fromkeys(("float32", kind)):
            if (name, each) != (artifact.name, kind):
                path = folder / f"{name}-{each}.tflite".replace(" ", "-")
                convert(model, each, path, samples)
                contestants.append(Contestant(name, each, path, model.count_params()))
    return contestants


def summarize(contestants: list[Contestant], times_ms: np.ndarray, calls_a_turn: int = 1) -> dict[str, Any]:
    """Return the medians, and how many times as long as each of the others the shipped file takes."""
    rows = []
    for column, each in enumerate(contestants):
        ratios = times_ms[:, 0] / times_ms[:, column]
        low, high = np.percentile(ratios, (25, 75))
        rows.append(
            {
                "name": each.name,
                "kind": each.kind,
                "parameters": each.parameters,
                "size_bytes": each.path.stat().st_size,
                "median_ms": float(np.median(times_ms[:, column])),
                "shipped_takes_times": float(np.median(ratios)),
                "quartiles": [float(low), float(high)],
            }
        )
    return {"turns": len(times_ms), "calls_a_turn": calls_a_turn, "files": rows}


def describe(summary: dict[str, Any]) -> str:
    """Return the summary as text."""
    header = f"{'file':<34}{'parameters':>12}{'MB':>7}{'ms a face':>11}{'shipped takes':>15}{'quartiles':>15}"
    lines = [f"LiteRT, one thread, {summary['turns']} turns of {summary['calls_a_turn']} calls each", header]
    for row in summary["files"]:
        low, high = row["quartiles"]
        title = f"{row['name']}, {row['kind']}"
        lines.append(
            f"{title:<34}{row['parameters']:>12,}{row['size_bytes'] / 1e6:>7.2f}{row['median_ms']:>11.3f}"
            f"{row['shipped_takes_times']:>9.2f} times{f'{low:.2f} to {high:.2f}':>15}"
        )
    return "\n".join(lines)


def main() -> None:
    """Convert, time and print."""
    parser = new_parser(__doc__)
    parser.add_argument("--model", type=Path, default=Settings().model, help="model folder [%(default)s]")
    parser.add_argument("--turns", type=int, default=100, help="turns that each file gets [%(default)s]")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Not above: TensorFlow reads the line before when it is imported.
    from train.export.litert_files import CALLS_A_TURN, open_call, time_turns

    try:
        with tempfile.TemporaryDirectory() as folder:
            contestants = enter(options.model, Path(folder))
            times_ms = time_turns([open_call(each.path) for each in contestants], options.turns)
            summary = summarize(contestants, times_ms, CALLS_A_TURN)
    except FerWebError as exc:
        raise SystemExit(f"error: {exc}") from exc
    print(json.dumps(summary, indent=2) if options.json else describe(summary))


if __name__ == "__main__":
    main()
