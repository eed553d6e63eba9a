"""HDF5 files looked at before Keras opens them: whole, of a bearable size, without links to other files."""

import io
from pathlib import Path
from typing import Any

from fer_web.errors import ModelArtifactError

MAX_VALUES = 300_000_000
"""Numbers in all arrays of a file: 1.2 GB as float32. VGG16 has 138 million."""


def check_hdf5(path: Path, content: io.BytesIO | None = None) -> str | None:
    """Look into a file, or into `content` from within it.

    HDF5 can link to other files and take an array's bytes from them; a file from elsewhere could have any
    file of this machine read as weights.

    Returns: the architecture that it holds, as JSON, or None.
    Raises: ModelArtifactError: it is cut short or broken, too large when unpacked, or has such links.
    """
    import h5py

    try:
        with h5py.File(content or path, "r") as file:
            _check_groups(path, file)
            config = file.attrs.get("model_config")
    except ModelArtifactError:
        raise
    # h5py has no errors of its own: what is broken inside shows as any of these.
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, RecursionError) as exc:
        raise ModelArtifactError(
            f"{path} cannot be read as HDF5 ({_first_line(exc)}): it was cut short or altered. Fetch it "
            "again."
        ) from exc
    return config.decode("utf-8", "replace") if isinstance(config, bytes) else config


def _check_groups(path: Path, file: Any) -> None:
    import h5py

    values, waiting, seen = 0, [file], 0
    while waiting:
        group = waiting.pop()
        for name in group:
            seen += 1
            if not isinstance(group.get(name, getlink=True), h5py.HardLink) or seen > 100_000:
                raise _refused(path, f"a link ({group.name}/{name})")
            member = group[name]
            if isinstance(member, h5py.Group):
                waiting.append(member)
                continue
            if member.external or member.is_virtual:
                raise _refused(path, f"an array whose bytes lie in another file ({member.name})")
            values += member.size or 0
    if values > MAX_VALUES:
        raise ModelArtifactError(
            f"{path} holds arrays of {values} numbers when unpacked; up to {MAX_VALUES} are read. Give a "
            "smaller network."
        )


def _refused(path: Path, what: str) -> ModelArtifactError:
    return ModelArtifactError(
        f"{path} has {what}. Weights never need that, and it could have other files of this machine read. It "
        "is not opened; save the network anew."
    )


def _first_line(exc: Exception) -> str:
    return str(exc).strip().split("\n")[0][:200]
