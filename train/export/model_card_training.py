"""Write what a model card says of the training."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from train.config import BACKBONES, CONFIG_DIR, load_config, with_present_names

_DATA = "--data fer2013.csv --ferplus fer2013new.csv"


def training_section(meta: dict[str, Any], folder: str) -> str:
    """Write the section "Training"; it says so when nothing is known.

    Args: folder: the model folder, as commands name it.
    """
    if "config" not in meta:
        return "## Training\n\nExported from a .keras file, which does not say how it was trained.\n"
    data, checkpoint = meta["data"], meta["checkpoint"]
    config = with_present_names(meta["config"])
    sentences = [
        f"From {_first_weights(config)} on {data['training_rows']:,} rows of FER-2013's Training split.",
        _copies(data),
        _teachers(config),
        _pretrained_weights(config),
        *_course(meta),
        _code(meta["environment"]),
        f"Shipped are the {checkpoint['weights']} weights after epoch {checkpoint['epoch']} "
        f"({checkpoint['kind']} checkpoint).",
        f"Chosen on {meta['chosen_on']}.",
        "Every option is in meta.json.",
    ]
    name = config["network"]["name"]
    # A file of the user's own is known by the network's name only.
    given = name if (CONFIG_DIR / f"{name}.toml").is_file() else f"{name}.toml"
    commands = (
        "```\n"
        f"{_earlier_runs(config)}"
        f"python -m train fit --config {given} --seed {meta['seed']} {_DATA}\n"
        f"python -m train export runs/{name} {_DATA} --out {folder}\n"
        "```\n"
    )
    return "## Training\n\n" + "\n".join(each for each in sentences if each) + "\n\n" + commands


def _first_weights(config: dict[str, Any]) -> str:
    start, others = config.get("start_from"), config.get("average_with", ())
    if start and others:
        return f"the mean of the weights of earlier runs ({_listed([start, *others])})"
    if start:
        return f"the weights of an earlier run ({start})"
    if _pretrained_file(config):
        return f"weights learned on {_seen_before(config)}"
    return "random weights"


def _earlier_runs(config: dict[str, Any]) -> str:
    """Return the commands of the runs that this one learned from, as far as configs/ has them."""
    return "".join(f"python -m train fit --config {name} {_DATA}\n" for name in _names_of_earlier(config))


def _names_of_earlier(config: dict[str, Any]) -> list[str]:
    others = (*config.get("average_with", ()), *config.get("teachers", ()))
    named = [Path(each).name for each in (config.get("start_from") or "", *others)]
    found: list[str] = []
    for name in named:
        if name and (CONFIG_DIR / f"{name}.toml").is_file():
            found += [*_names_of_earlier(load_config(name).to_dict()), name]
    return list(dict.fromkeys(found))


def _teachers(config: dict[str, Any]) -> str:
    if not config.get("teachers"):
        return ""
    asked = {
        "rows": "of each picture and its mirror image, asked once",
        "batches": "of each picture as the network sees it",
    }[config.get("distill_on", "batches")]
    share = f"{100 * config['distill_weight']:.0f} %"
    together = " together" if len(config["teachers"]) > 1 else ""
    return f"{share} of what it learned is what {_listed(config['teachers'])}{together} said {asked}."


def _listed(names: Sequence[str]) -> str:
    """Write "a", "a and b" or "a, b and c"."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _pretrained_weights(config: dict[str, Any]) -> str:
    """Say which runs began with weights from other pictures, as far as configs/ has the runs."""
    runs = {name: load_config(name).to_dict() for name in _names_of_earlier(config)}
    runs |= {config["network"]["name"]: config}
    named = [
        f"{name} began with weights learned on {_seen_before(run)} ({_pretrained_file(run)})"
        for name, run in runs.items()
        if _pretrained_file(run)
    ]
    if not named:
        return ""
    return (
        f"Other pictures had a part in it: {_listed(named)}. The licence of those weights applies to it too."
    )


def _pretrained_file(config: dict[str, Any]) -> str:
    network = config["network"]
    is_used = network.get("architecture") == "transfer"
    # Earlier versions knew those of ImageNet only.
    file = network.get("pretrained_weights") or network.get("imagenet_weights", "")
    return Path(file).name if is_used else ""


def _seen_before(config: dict[str, Any]) -> str:
    """Name the pictures of pretrained weights; earlier versions had more backbones."""
    return "ImageNet" if config["network"].get("backbone", BACKBONES[0]) in BACKBONES else "other pictures"


def _copies(data: dict[str, Any]) -> str:
    kind = {
        "near": "that are near copies of rows in another split (the same photo moved, cut or mirrored)",
        "exact": "whose exact pixels also stand in another split",
    }[data.get("copies_left_out", "exact")]
    return f"{data['dropped_copies']:,} rows {kind} were left out."


def _course(meta: dict[str, Any]) -> list[str]:
    """Return the length, machine and course of the training, as far as they are known."""
    environment, training = meta["environment"], meta.get("training")
    versions = [f"{key} {environment[key]}" for key in ("keras", "tensorflow") if key in environment]
    setting = f"seed {meta['seed']}, backend {environment.get('backend', 'unknown')}, {', '.join(versions)}."
    if training is None:
        return [f"{environment['cpu_count']} CPU cores, {setting}"]
    length = f"{training['epochs']} epochs in {training['minutes']:.0f} minutes"
    if training["epochs"] < training["planned_epochs"]:
        length += f" of {training['planned_epochs']} planned: the schedule was not run to its end"
    return [
        f"{length}, on a machine with {environment['cpu_count']} CPU cores, {setting}",
        _image_sizes(training["image_sides"]),
        _interruptions(training),
    ]


def _code(environment: dict[str, str]) -> str:
    version = environment.get("code_version", "unknown")
    if version == "unknown":
        return ""
    commit, _, changes = version.partition("+")
    changed = ", with changes in train/ that were not committed" if changes else ""
    return f"The code was that of commit {commit[:12]}{changed}."


def _image_sizes(phases: list[dict[str, int]]) -> str:
    if len(phases) < 2:
        return ""
    parts = [f"{each['side']}x{each['side']} to epoch {each['until_epoch']}" for each in phases]
    return f"The pictures grew during training: {', then '.join(parts)}."


def _interruptions(training: dict[str, Any]) -> str:
    if not training.get("resumed"):
        return ""
    times = "once" if training["resumed"] == 1 else f"{training['resumed']} times"
    return f"The run was interrupted and continued from its last checkpoint {times}."
