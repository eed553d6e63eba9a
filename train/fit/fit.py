"""Train a network and keep its run in one folder; killed runs continue where they stood."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from fer_web.errors import DataError
from train.config import AugmentConfig, FitConfig
from train.data.fer_data import FerData, training_rows
from train.fit.batches import all_batches, training_batches
from train.fit.devices import all_devices, leave_gpus_to_backend
from train.fit.distillation import with_teachers
from train.fit.epoch_end import EpochRecorder, Scoring
from train.fit.event_log import FOLDER, EventLog
from train.fit.optimizer import build_optimizer
from train.fit.soft_targets import SOFT_TARGETS_FILE, SoftTargets, ask_teachers
from train.fit.step_bar import StepBar
from train.fit.teachers import hash_teachers, load_teachers
from train.fit.warm_start import start_from_mean
from train.networks.networks import build_network, dtype_policy
from train.networks.transfer import load_pretrained_weights
from train.runs.checkpoint import LAST_FILE, restore
from train.runs.plots import plot_history
from train.runs.run_folder import LABELS_AS_VOTES, open_run

STATISTICS_BATCHES = 24
"""Batches from which batch normalisation is estimated anew for the averaged weights."""

_MIRRORED_ONLY = AugmentConfig(
    rotate_degrees=0.0, scale=0.0, shift=0.0, brightness=0.0, contrast=0.0, erase_share=0.0
)
"""Nothing but mirror images, which every augmentation has."""


@dataclass(frozen=True)
class FitResult:
    """It says what a run reached: its folder, and the last row of history.csv."""

    run_dir: Path
    last_epoch: dict[str, float]


@dataclass(frozen=True)
class FitOptions:
    """It says how a run is carried out; nothing here changes its result beyond rounding.

    Attributes:
        say: called with one line of text an epoch.
        shows_steps: draw a bar over the steps of each epoch on stderr.
        writes_events: write files for TensorBoard too.
        distributes: compute on all devices.
    """

    say: Callable[[str], None] = print
    shows_steps: bool = False
    writes_events: bool = False
    distributes: bool = False


def fit(
    config: FitConfig,
    data: FerData,
    run_dir: Path,
    *,
    say: Callable[[str], None] | None = None,
    options: FitOptions | None = None,
) -> FitResult:
    """Train to the last epoch of `config`, from the run folder's last checkpoint if there is one.

    Args:
        data: with a Training and a PublicTest split. Without FER+ votes its labels stand for them.
        run_dir: created; holds config.json, history.csv, plots/, last.npz (everything) and
            best.npz.
        say: as in `options`, which it replaces.
    Raises:
        DataError: too few rows, or an emotion without any.
        SettingsError: the folder holds a run with another configuration, other data or other
            teachers; a teacher or a weights file is none; the devices cannot be distributed over.
    """
    options = options or FitOptions()
    options = replace(options, say=say or options.say)
    leave_gpus_to_backend()
    rows = _Rows.of(data, config)
    open_run(run_dir, config, rows.record)
    for line in rows.remarks:
        options.say(line)
    one = contextlib.nullcontext()
    with all_devices(config.batch_size, options.say) if options.distributes else one:
        return _train(config, rows, run_dir, options)


@dataclass(frozen=True)
class _Rows:
    """It holds the rows of a run, all with votes, and what is said about them.

    Attributes:
        record: for config.json.
        remarks: lines for people.
    """

    training: FerData
    validation: FerData
    has_votes: bool
    record: dict[str, Any]
    remarks: list[str]

    @classmethod
    def of(cls, data: FerData, config: FitConfig) -> "_Rows":
        training, leaks = training_rows(data.with_label_votes(), drop_leaks=config.drop_leaks)
        if len(training) < config.batch_size:
            raise DataError(
                f"{len(training)} training rows are fewer than a batch of {config.batch_size}. Lower "
                "--batch-size"
            )
        record = {"training_rows": len(training), "dropped_copies": leaks, "sha256": data.sha256()}
        remarks = [f"{len(training)} training rows ({leaks} near copies of other splits left out)"]
        if data.votes is None:
            record["ferplus_targets"] = LABELS_AS_VOTES
            remarks.append(
                "no FER+ votes: the FER+ output learns the seven original labels too, and nothing of "
                "contempt, unknown and not-a-face"
            )
        if config.start_from:
            record["start_from_sha256"] = hash_teachers([config.start_from])[0]
        if config.average_with:
            record["average_with_sha256"] = hash_teachers(config.average_with)
        if config.teachers:
            record["teachers_sha256"] = hash_teachers(config.teachers)
            remarks.append(f"teachers: {', '.join(config.teachers)}")
        validation = data.split("PublicTest").with_label_votes()
        return cls(training, validation, data.votes is not None, record, remarks)


def _train(config: FitConfig, rows: _Rows, run_dir: Path, options: FitOptions) -> FitResult:
    keras.utils.set_random_seed(config.seed)
    steps = len(rows.training) // config.batch_size
    taught = _ask_once(rows.training, config, run_dir, options.say)
    teachers = load_teachers(config.teachers, as_trained=True) if config.teaches_batches else ()
    model = compile_network(config, steps_per_epoch=steps, teachers=teachers)
    start_epoch = restore(run_dir / LAST_FILE, model) if (run_dir / LAST_FILE).is_file() else 0
    if not start_epoch:
        _set_first_weights(model, config, options.say)
    scoring = Scoring(
        sample_batches(rows.training, config),
        rows.validation,
        "FER+ majority" if rows.has_votes else "of the labels by the FER+ output",
    )
    recorder = EpochRecorder(run_dir, scoring, patience=config.early_stopping_epochs, say=options.say)
    if start_epoch < config.epochs and not recorder.is_finished(start_epoch):
        options.say(f"epoch {start_epoch + 1} on, by {keras.config.backend()}")
        with _watchers(recorder, run_dir, options) as callbacks:
            # One call for all phases: at its end Keras puts the averaged weights into the model.
            model.fit(
                all_batches(rows.training, config, start_epoch, taught=taught),
                initial_epoch=start_epoch,
                epochs=config.epochs,
                steps_per_epoch=steps,
                callbacks=callbacks,
                shuffle=False,
                verbose=0,
            )
        plot_history(recorder.rows, run_dir / "plots" / "history.png")
    return FitResult(run_dir, recorder.rows[-1])


def _ask_once(
    rows: FerData, config: FitConfig, run_dir: Path, say: Callable[[str], None]
) -> SoftTargets | None:
    """Return what teachers say of the rows, where they are asked once in a run; kept in its folder."""
    if not config.teachers or config.teaches_batches:
        return None
    path = run_dir / SOFT_TARGETS_FILE
    if not path.is_file():
        say(f"asking the teachers about {len(rows)} images and their mirror images")
        ask_teachers(load_teachers(config.teachers), rows.images, config.distill_temperature).write(path)
    return SoftTargets.read(path, len(rows))


def _set_first_weights(model: keras.Model, config: FitConfig, say: Callable[[str], None]) -> None:
    if config.start_from:
        new = start_from_mean(model, config.network, config.first_networks)
        say(f"weights start from {' and '.join(config.first_networks)}; new blocks: {new}")
    if config.network.architecture != "transfer":
        return
    if config.network.pretrained_weights:
        load_pretrained_weights(model, config.network)
        say(f"{config.network.backbone} starts from {config.network.pretrained_weights}")
    else:
        say(f"{config.network.backbone} starts from scratch: no pretrained_weights are given")


@contextlib.contextmanager
def _watchers(recorder: EpochRecorder, run_dir: Path, options: FitOptions) -> Iterator[list[Any]]:
    callbacks: list[Any] = [recorder]
    with contextlib.ExitStack() as stack:
        if options.writes_events:
            log = stack.enter_context(contextlib.closing(EventLog(run_dir / FOLDER)))
            # After the recorder, which adds the row.
            callbacks.append(
                keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: log.add(recorder.rows[-1]))
            )
        if options.shows_steps:
            callbacks.append(stack.enter_context(contextlib.closing(StepBar())))
        yield callbacks


def compile_network(
    config: FitConfig, *, steps_per_epoch: int, teachers: Sequence[keras.Model] = ()
) -> keras.Model:
    """Return a fresh network with its losses and optimizer, ready for `fit`."""
    with dtype_policy(config.dtype_policy):
        model = build_network(config.network, for_training=True, any_size=len(config.phases()) > 1)
    if teachers:
        model = with_teachers(model, teachers, config)
    optimizer = build_optimizer(config, steps=steps_per_epoch * config.epochs)
    smoothed = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=config.label_smoothing)
    soft = keras.losses.CategoricalCrossentropy(from_logits=True)
    losses = {"original": smoothed, "ferplus": soft}
    weights = {"original": 1.0, "ferplus": config.ferplus_weight}
    model.compile(optimizer=optimizer, loss=losses, loss_weights=weights)
    optimizer.build(model.trainable_variables)
    return model


def sample_batches(data: FerData, config: FitConfig) -> "_Sample":
    """Return the first batches of training again, float32 (B, 48, 48, 1), augmented if
    `statistics_on` says so.

    They are not blended: the statistics are for whole faces, and a blend of two has less contrast.
    """
    augment = config.augment if config.statistics_on == "augmented" else _MIRRORED_ONLY
    batches = training_batches(data, replace(config, mixup_alpha=0.0, augment=augment))
    return _Sample(batches.map(lambda images, *_: images).take(STATISTICS_BATCHES))


@dataclass(frozen=True)
class _Sample:
    """It gives batches as NumPy arrays, which every backend takes."""

    batches: tf.data.Dataset

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        return iter(self.batches.as_numpy_iterator())
