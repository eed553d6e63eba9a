"""One training run has these options, from a TOML file in configs/, checked on creation."""

import dataclasses
import math
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from fer_web.errors import SettingsError

CONFIG_DIR = Path(__file__).parent / "configs"

FORMER_NAMES = {
    "flagship": "shipped_1_scratch",
    "flagship3": "shipped_2_deeper",
    "flagship5": "shipped_3_self_taught",
}
"""These configurations had other names: commands, run folders and meta.json may still say those."""

ARCHITECTURES = ("residual", "baseline", "bn4", "mini_xception", "vgg_small", "transfer")

BACKBONES = ("efficientnetb0", "efficientnet_lite0", "resnet50", "vgg16")

OPTIMIZERS = ("sgd", "adam")
TEACHING = ("batches", "rows")
STATISTICS = ("augmented", "unchanged")

HIGHEST_ADAM_RATE = 0.02
"""Adam's steps are as large as its rate whatever the gradients are: rates of SGD make it diverge.
"""

HIGHEST_SEED = 2**31 - 1
"""tf.random takes seeds of 32 bits."""

_KINDS = {int: "a whole number", float: "a finite number", bool: "true or false", str: "text"}

_SHARES = (
    "erase_share",
    "glasses_share",
    "mask_share",
    "dark_share",
    "blur_share",
    "low_resolution_share",
    "noise_share",
)


@dataclass(frozen=True)
class NetworkConfig:
    """It describes what networks.py builds.

    Attributes:
        name: also the shipped model's name, and that of the run's and the model's folder.
        architecture: one of ARCHITECTURES; "residual" is shaped by the next two, "transfer" by the
            last three, the others are fixed.
        stem_filters: channels of the two convolutions before the blocks; the second halves height
            and width.
        blocks: (channels, stride) of each residual block.
        dropout: share (0-1) of the last features set to zero in training.
        backbone: one of BACKBONES: efficientnet_lite0 is built here, the others are of
            keras.applications.
        backbone_side: height and width in pixels that faces are enlarged to for it.
        pretrained_weights: file with the backbone's weights without its top, for efficientnet_lite0
            the one that configs/transfer_lite0.toml names; "" is from scratch.
    """

    name: str = "flagship"
    architecture: str = "residual"
    stem_filters: tuple[int, ...] = (32, 64)
    blocks: tuple[tuple[int, int], ...] = ((64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1))
    dropout: float = 0.4
    backbone: str = "efficientnetb0"
    backbone_side: int = 96
    pretrained_weights: str = ""

    def __post_init__(self) -> None:
        named = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", self.name)
        _require(bool(named), "name", "letters, digits, _, . and -", self.name)
        allowed = " or ".join(ARCHITECTURES)
        _require(self.architecture in ARCHITECTURES, "architecture", allowed, self.architecture)
        stem = _is_counts(self.stem_filters, 2)
        _require(stem, "stem_filters", "two channel counts above 0", self.stem_filters)
        pairs = all(_is_counts(block, 2) for block in self.blocks)
        _require(pairs, "blocks", "pairs of channels, stride, all above 0", self.blocks)
        _require(0 <= self.dropout < 1, "dropout", "0 to below 1", self.dropout)
        _require(self.backbone in BACKBONES, "backbone", " or ".join(BACKBONES), self.backbone)
        _require(48 <= self.backbone_side <= 224, "backbone_side", "48 to 224", self.backbone_side)


@dataclass(frozen=True)
class AugmentConfig:
    """It says how far a training image may be changed; ranges are symmetric and drawn uniformly.

    Attributes:
        rotate_degrees: largest turn to either side.
        scale: largest change of size; 0.2 means 0.8 to 1.2.
        shift: largest move, as a share of the image's side.
        brightness: largest offset in pixel values (0-255).
        contrast: largest change of contrast; 0.3 means 0.7 to 1.3.
        erase_share: share (0-1) of images of which a square is covered.
        erase_pixels: side of that square.
        glasses_share: share of images with two dark or light squares or one bar where the eyes are.
        mask_share: share of images with the face's lower part under one grey.
        dark_share: share of images made darker by a gamma of 1 to `dark_gamma`.
        dark_gamma: the strongest of these; 3 takes a grey of 128 to 32.
        blur_share: share of images out of focus.
        blur_sigma: the strongest Gaussian for that, in pixels.
        low_resolution_share: share of images that were 24 or 16 pixels wide and tall and were
            enlarged.
        noise_share: share of images with sensor noise.
        noise_sigma: the strongest noise's standard deviation in pixel values (0-255).
    """

    rotate_degrees: float = 15.0
    scale: float = 0.2
    shift: float = 0.12
    brightness: float = 30.0
    contrast: float = 0.3
    erase_share: float = 0.5
    erase_pixels: int = 16
    glasses_share: float = 0.0
    mask_share: float = 0.0
    dark_share: float = 0.0
    dark_gamma: float = 3.0
    blur_share: float = 0.0
    blur_sigma: float = 1.5
    low_resolution_share: float = 0.0
    noise_share: float = 0.0
    noise_sigma: float = 20.0

    def __post_init__(self) -> None:
        _require(0 <= self.rotate_degrees <= 180, "rotate_degrees", "0 to 180", self.rotate_degrees)
        for name in ("scale", "shift", "contrast"):
            _require(0 <= getattr(self, name) < 1, name, "0 to below 1", getattr(self, name))
        _require(0 <= self.brightness <= 255, "brightness", "0 to 255", self.brightness)
        for name in _SHARES:
            _require(0 <= getattr(self, name) <= 1, name, "0 to 1", getattr(self, name))
        _require(0 <= self.erase_pixels <= 48, "erase_pixels", "0 to 48", self.erase_pixels)
        _require(1 <= self.dark_gamma <= 10, "dark_gamma", "1 to 10", self.dark_gamma)
        _require(0.3 <= self.blur_sigma <= 2, "blur_sigma", "0.3 to 2", self.blur_sigma)
        _require(0 <= self.noise_sigma <= 255, "noise_sigma", "0 to 255", self.noise_sigma)


@dataclass(frozen=True)
class FitConfig:
    """It describes one training run.

    Attributes:
        epochs: passes over the training rows, the whole length of the learning rate's one cycle.
        optimizer: one of OPTIMIZERS, both with decay of the weights apart from the gradients
            ("AdamW").
        peak_learning_rate: reached after `warmup_share` of all steps, then a cosine to
            `last_rate_share`.
        last_rate_share: share (0-1) of the peak that the rate ends at. Above zero, with a slow
            `ema_momentum`, the weights go on moving and their average lies in the middle of where
            they go (Izmailov et al. 2018, "Averaging weights leads to wider optima and better
            generalization").
        momentum: of SGD with Nesterov's step; of Adam's first moment.
        weight_decay: share of each kernel taken off a step, times the learning rate.
        ema_momentum: of the running average of the weights; that average is what is evaluated and
            shipped.
        label_smoothing: of the original labels, a third of which are doubtful; FER+ votes are soft
            already.
        class_weights: how far the original labels' loss favours rare ones: "none" (or 0),
            "balanced" (or 1: each label counts the same in total) or a number between; see
            `label_weights`.
        ferplus_weight: weight of the FER+ loss beside the original label's.
        ferplus_balance: how far the FER+ loss favours rows with votes for rare classes, 0 (off) to
            1 (a class counts the same however rare); see `rarity_weights`.
        statistics_on: one of STATISTICS: the images from which batch normalisation is estimated for
            the averaged weights, "augmented" as in training or "unchanged", which are like those of
            good cameras.
        mixup_alpha: of the Beta distribution by which two images and their targets are blended; 0
            is off.
        image_sides: (share of the epochs, side in pixels) of each phase, from small images to 48:
            coarse shapes are learned at a fraction of the cost (Tan and Le 2021, "EfficientNetV2",
            section 4). Empty is 48 throughout; for residual networks only.
        drop_leaks: leave out training rows that are near copies of rows in other splits.
        early_stopping_epochs: training ends after so many epochs below the best mean PublicTest
            accuracy; 0 is off. The best epoch's weights are in best.npz.
        start_from: run folder, model folder or .keras file of a residual network whose weights are
            the first ones; "" is random ones. See `warm_start`.
        average_with: further such networks: the first weights are the mean of all (Wortsman et al.
            2022, "Model soups"), which asks for networks that went on from common weights.
        teachers: run folders, model folders or .keras files whose logits, averaged, are learned
            too.
        distill_on: one of TEACHING. "batches" asks the teachers about each batch as the network
            sees it; "rows" asks them once, before the first epoch, about every training image and
            its mirror image, and what they say becomes a part of the row's targets: steps take no
            longer than without teachers.
        distill_weight: share (0-1) of the loss that is the distance to the teachers; 1 ignores all
            labels.
        distill_temperature: divides teachers' and student's logits there (Hinton et al. 2015,
            "Distilling the knowledge in a neural network"); with "rows" only the teachers'.
        dtype_policy: of the layers in training; the exported model computes in float32.
    """

    network: NetworkConfig = field(default_factory=NetworkConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    seed: int = 1
    epochs: int = 24
    batch_size: int = 128
    optimizer: str = "sgd"
    peak_learning_rate: float = 0.1
    last_rate_share: float = 0.0
    warmup_share: float = 0.15
    momentum: float = 0.9
    weight_decay: float = 0.001
    ema_momentum: float = 0.999
    label_smoothing: float = 0.1
    class_weights: str | float = "none"
    ferplus_weight: float = 1.0
    ferplus_balance: float = 0.0
    statistics_on: str = "augmented"
    mixup_alpha: float = 0.0
    image_sides: tuple[tuple[float, int], ...] = ()
    drop_leaks: bool = True
    early_stopping_epochs: int = 0
    start_from: str = ""
    average_with: tuple[str, ...] = ()
    teachers: tuple[str, ...] = ()
    distill_on: str = "batches"
    distill_weight: float = 0.5
    distill_temperature: float = 2.0
    dtype_policy: str = "mixed_bfloat16"

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size"):
            _require(getattr(self, name) >= 1, name, "1 or more", getattr(self, name))
        _require(self.peak_learning_rate > 0, "peak_learning_rate", "above 0", self.peak_learning_rate)
        for name in ("warmup_share", "momentum", "ema_momentum", "label_smoothing"):
            _require(0 <= getattr(self, name) < 1, name, "0 to below 1", getattr(self, name))
        for name in ("last_rate_share", "ferplus_balance"):
            _require(0 <= getattr(self, name) <= 1, name, "0 to 1", getattr(self, name))
        for name in ("weight_decay", "ferplus_weight", "mixup_alpha", "early_stopping_epochs"):
            _require(getattr(self, name) >= 0, name, "0 or more", getattr(self, name))
        _require(0 <= self.seed <= HIGHEST_SEED, "seed", f"0 to {HIGHEST_SEED}", self.seed)
        _require(
            self.statistics_on in STATISTICS, "statistics_on", " or ".join(STATISTICS), self.statistics_on
        )
        self._check_optimizer()
        self._check_sources()
        self._check_image_sides()
        policies = ("float32", "mixed_bfloat16")
        _require(self.dtype_policy in policies, "dtype_policy", " or ".join(policies), self.dtype_policy)

    def _check_optimizer(self) -> None:
        _require(self.optimizer in OPTIMIZERS, "optimizer", " or ".join(OPTIMIZERS), self.optimizer)
        highest = HIGHEST_ADAM_RATE if self.optimizer == "adam" else math.inf
        allowed = f"at most {highest} with Adam"
        _require(self.peak_learning_rate <= highest, "peak_learning_rate", allowed, self.peak_learning_rate)
        named = self.class_weights in ("none", "balanced")
        holds = named or (isinstance(self.class_weights, int | float) and 0 <= self.class_weights <= 1)
        _require(holds, "class_weights", "none, balanced or 0 to 1", self.class_weights)

    def _check_sources(self) -> None:
        for name in ("teachers", "average_with"):
            paths = getattr(self, name)
            holds = isinstance(paths, tuple) and all(isinstance(each, str) for each in paths)
            _require(holds, name, "a list of paths", paths)
        alone = bool(self.average_with) and not self.start_from
        _require(not alone, "average_with", "empty without start_from", self.average_with)
        _require(self.distill_on in TEACHING, "distill_on", " or ".join(TEACHING), self.distill_on)
        _require(0 <= self.distill_weight <= 1, "distill_weight", "0 to 1", self.distill_weight)
        _require(self.distill_temperature > 0, "distill_temperature", "above 0", self.distill_temperature)

    @property
    def first_networks(self) -> tuple[str, ...]:
        """Return the networks whose mean the first weights are; none for random ones."""
        return (self.start_from, *self.average_with) if self.start_from else ()

    @property
    def teaches_batches(self) -> bool:
        """Tell whether teachers are asked at every step of training."""
        return bool(self.teachers) and self.distill_on == "batches"

    @property
    def label_balance(self) -> float:
        """Return `class_weights` as a number, 0 to 1."""
        named = {"none": 0.0, "balanced": 1.0}
        return named[self.class_weights] if isinstance(self.class_weights, str) else self.class_weights

    def _check_image_sides(self) -> None:
        allowed = "pairs of a share and a side of 16 to 48 pixels, with shares that add up to 1 and 48 last"
        pairs = self.image_sides
        holds = all(
            isinstance(pair, tuple) and len(pair) == 2 and pair[0] > 0 and pair[1] in range(16, 49)
            for pair in pairs
        )
        if pairs and holds:
            holds = abs(sum(share for share, _ in pairs) - 1) < 1e-6 and pairs[-1][1] == 48
        _require(holds, "image_sides", allowed, pairs)
        small = any(side != 48 for _, side in pairs) if holds else False
        fits = self.network.architecture == "residual" or not small
        _require(fits, "image_sides", "empty for this architecture", pairs)

    def phases(self) -> list[tuple[int, int]]:
        """Return (epoch after the last, side of the images in pixels) of each phase, in order."""
        ends, share = [], 0.0
        for part, side in self.image_sides or ((1.0, 48),):
            share += part
            ends.append((round(share * self.epochs), side))
        return ends

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types, read back by `from_dict`."""
        return dataclasses.asdict(self)


def load_config(name_or_path: str, **overrides: Any) -> FitConfig:
    """Read a run's options from a file of configs/ (by its name or its former one) or from any TOML
    file.

    Args:
        overrides: top-level options that replace the file's; None means not given.
    Raises: SettingsError: no such file, not TOML, an unknown option or a value that is not allowed.
    """
    path = CONFIG_DIR / f"{FORMER_NAMES.get(name_or_path, name_or_path)}.toml"
    if not path.is_file():
        path = Path(name_or_path)
    try:
        options = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        known = ", ".join(sorted(file.stem for file in CONFIG_DIR.glob("*.toml")))
        raise SettingsError(
            f"{name_or_path} is no configuration: give a TOML file or one of: {known}"
        ) from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise SettingsError(f"{path} is not TOML: {exc}. Mend that line") from exc
    options |= {key: value for key, value in overrides.items() if value is not None}
    return from_dict(options)


def from_dict(options: dict[str, Any]) -> FitConfig:
    """Build a FitConfig from plain types.

    Raises SettingsError: an unknown option or a value not allowed.
    """
    options = dict(options)
    network = _build(NetworkConfig, "network", options.pop("network", {}))
    augment = _build(AugmentConfig, "augment", options.pop("augment", {}))
    return _build(FitConfig, "run", {**options, "network": network, "augment": augment})


def with_present_names(options: dict[str, Any]) -> dict[str, Any]:
    """Return a run's options with today's names in place of FORMER_NAMES."""
    name = options["network"]["name"]
    lists = {
        key: [_present_run(each) for each in options.get(key, ())] for key in ("average_with", "teachers")
    }
    return options | {
        "network": options["network"] | {"name": FORMER_NAMES.get(name, name)},
        "start_from": _present_run(options.get("start_from") or ""),
        **lists,
    }


def _present_run(path: str) -> str:
    # models/flagship, which a run may start from too, is no run.
    folder, _, name = path.rpartition("runs/")
    return f"{folder}runs/{FORMER_NAMES[name]}" if name in FORMER_NAMES and path != name else path


_Config = TypeVar("_Config", NetworkConfig, AugmentConfig, FitConfig)


def _build(cls: type[_Config], where: str, options: Any) -> _Config:
    _require(isinstance(options, dict), where, f"a table [{where}] of options", options)
    allowed = {each.name for each in dataclasses.fields(cls)}
    unknown = sorted(set(options) - allowed)
    if unknown:
        raise SettingsError(f"unknown {where} option {unknown[0]!r}; allowed: {', '.join(sorted(allowed))}")
    for each in dataclasses.fields(cls):
        if each.name in options and each.type in _KINDS:
            value = options[each.name]
            _require(_is_of_type(value, each.type), each.name, _KINDS[each.type], value)
    try:
        return cls(**{key: _frozen(value) for key, value in options.items()})
    except TypeError as exc:
        raise SettingsError(f"a {where} option has a value of the wrong type ({exc}). Mend it") from exc


def _is_of_type(value: object, kind: Any) -> bool:
    if isinstance(value, bool) or kind is not float:
        return type(value) is kind
    return isinstance(value, int | float) and math.isfinite(value)


def _is_counts(values: object, length: int) -> bool:
    if not isinstance(values, tuple) or len(values) != length:
        return False
    return all(type(each) is int and each > 0 for each in values)


def _frozen(value: Any) -> Any:
    return tuple(_frozen(each) for each in value) if isinstance(value, (list, tuple)) else value


def _require(holds: bool, name: str, allowed: str, received: object) -> None:
    if not holds:
        raise SettingsError(f"{name} must be {allowed}, not {received!r}. Change it where it was given")
