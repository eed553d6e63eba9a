"""Read FER-2013 and its FER+ votes from the files that users have, and check them."""

import contextlib
import hashlib
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from fer_web.errors import DataError
from fer_web.labels import EMOTIONS, FERPLUS_INDEX_OF_EMOTION, FERPLUS_VOTES
from train.data.cache import Arrays, cache_path, read_cached, write_cached
from train.data.csv_files import read_fer2013_csv, read_ferplus_csv, votes_by_order
from train.data.ferplus_names import votes_by_name
from train.data.image_folders import read_image_folders
from train.data.progress import Watch, unwatched
from train.data.splits import SIDE, USAGES

NEAR_COPY_CORRELATION = 0.95
"""From here on two pictures count as one photo, cut out or compressed anew; judged by eye."""

RAREST_WEIGHT = 4.0
"""The most that a class may count in `rarity_weights`, against the average row."""

_ROWS_AT_ONCE = 4096
"""Rows compared with all others in one product: bounds its memory to about 120 MB on FER-2013."""

LABEL_VOTES = 10
"""Votes that stand for a row's label where there are none of FER+, whose rows have ten taggers."""


@dataclass(frozen=True)
class FerData:
    """It holds rows of FER-2013.

    Attributes:
        images: uint8 (N, 48, 48), grey, 0-255.
        emotion: uint8 (N,), original label as a position in EMOTIONS.
        usage: uint8 (N,), split as a position in USAGES.
        votes: uint8 (N, 10), taggers a column of FERPLUS_VOTES, or None when FER+ was not given.
    Raises: DataError: shapes, types or values other than these.
    """

    images: NDArray[np.uint8]
    emotion: NDArray[np.uint8]
    usage: NDArray[np.uint8]
    votes: NDArray[np.uint8] | None = None

    def __post_init__(self) -> None:
        n = len(self.emotion)
        _check_array("images", self.images, (n, SIDE, SIDE), highest=255)
        _check_array("emotion", self.emotion, (n,), highest=len(EMOTIONS) - 1)
        _check_array("usage", self.usage, (n,), highest=len(USAGES) - 1)
        if self.votes is not None:
            _check_array("votes", self.votes, (n, len(FERPLUS_VOTES)), highest=255)

    def __len__(self) -> int:
        return len(self.emotion)

    def rows(self, keep: NDArray[np.bool_]) -> "FerData":
        """Return the rows where `keep`, bool (N,), is true, in their order."""
        votes = None if self.votes is None else self.votes[keep]
        return FerData(self.images[keep], self.emotion[keep], self.usage[keep], votes)

    def split(self, usage: str) -> "FerData":
        """Return the rows of one split. Raises DataError: unknown split name, or no row in it."""
        if usage not in USAGES:
            raise DataError(f"usage must be one of {', '.join(USAGES)}, not {usage!r}. Change --usage")
        part = self.rows(self.usage == USAGES.index(usage))
        if not len(part):
            found = [name for i, name in enumerate(USAGES) if (self.usage == i).any()]
            raise DataError(
                f"the data has no {usage} row; it has {', '.join(found) or 'none'}. Change --usage or --data"
            )
        return part

    @property
    def known_votes(self) -> NDArray[np.uint8]:
        """Return the votes. Raises DataError: FER+ was not given."""
        if self.votes is None:
            raise DataError("the data has no FER+ votes. Give --ferplus fer2013new.csv too")
        return self.votes

    def with_label_votes(self) -> "FerData":
        """Return the same rows with LABEL_VOTES votes for each row's own label, where FER+ was not
        given.

        The FER+ output then learns the seven labels, without contempt, "unknown" or "not-a-face".
        """
        if self.votes is not None:
            return self
        votes = np.zeros((len(self), len(FERPLUS_VOTES)), np.uint8)
        votes[np.arange(len(self)), np.take(FERPLUS_INDEX_OF_EMOTION, self.emotion)] = LABEL_VOTES
        return FerData(self.images, self.emotion, self.usage, votes)

    def arrays(self) -> Arrays:
        """Return the arrays by name, as in an .npz; without votes there is none of that name."""
        found = {"images": self.images, "emotion": self.emotion, "usage": self.usage, "votes": self.votes}
        return {name: array for name, array in found.items() if array is not None}

    def sha256(self) -> str:
        """Return the SHA-256 over all arrays, hexadecimal: names the data in a model's meta.json."""
        digest = hashlib.sha256()
        for array in self.arrays().values():
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


def load_data(
    path: Path,
    ferplus_path: Path | None = None,
    *,
    cache_dir: Path | None = None,
    watch: Watch = unwatched,
) -> FerData:
    """Read FER-2013 from Kaggle's CSV file, from a folder of pictures or from an .npz of FerData's
    arrays.

    Args:
        path: a folder holds `train/<emotion>/*` and `test/<emotion>/*`.
        ferplus_path: FER+'s fer2013new.csv: beside a CSV or .npz with the same rows in the same
            order, beside a folder by file names. An .npz may hold the votes.
        cache_dir: where what was parsed is kept for the next time; None keeps nothing.
        watch: shows how far the reading is.
    Raises: DataError: a file is missing, of another form, or has a value that is not allowed.
    """
    sources = [path] if ferplus_path is None else [path, ferplus_path]
    for each in sources:
        if not each.exists():
            raise DataError(
                f"{each} does not exist. Give --data fer2013.csv, a folder of pictures or an .npz file; "
                "--ferplus fer2013new.csv"
            )
    if cache_dir is None or path.suffix.lower() == ".npz":
        return _read(path, ferplus_path, watch)
    kept = cache_path(sources, cache_dir)
    cached = _from_arrays(read_cached(kept))
    if cached is not None:
        return cached
    data = _read(path, ferplus_path, watch)
    # A full disk or a folder of somebody else's costs the next reading, not this one.
    with contextlib.suppress(OSError):
        write_cached(kept, data.arrays())
    return data


def _read(path: Path, ferplus_path: Path | None, watch: Watch) -> FerData:
    if path.is_dir():
        return _read_folder(path, ferplus_path, watch)
    suffix = path.suffix.lower()
    if suffix not in (".csv", ".npz"):
        raise DataError(
            f"{path.name} has an unknown form; a .csv or .npz file or a folder of pictures is allowed. Give "
            "--data one of these; unpack archives first"
        )
    data = read_npz(path) if suffix == ".npz" else FerData(*read_fer2013_csv(path, watch))
    if not len(data):
        raise DataError(f"{path.name} has no rows. Fetch it again")
    if ferplus_path is None:
        return data
    votes = votes_by_order(read_ferplus_csv(ferplus_path), data.usage)
    return FerData(data.images, data.emotion, data.usage, votes)


def _read_folder(path: Path, ferplus_path: Path | None, watch: Watch) -> FerData:
    pictures = read_image_folders(path, USAGES, SIDE, watch)
    if ferplus_path is None:
        return FerData(pictures.images, pictures.emotion, pictures.usage)
    rows = read_ferplus_csv(ferplus_path)
    votes, usage = votes_by_name(rows, pictures.paths, pictures.usage)
    return FerData(pictures.images, pictures.emotion, usage, votes)


def _from_arrays(arrays: Arrays | None) -> FerData | None:
    """Return the data that was kept, or None if it is not whole."""
    try:
        return FerData(**arrays) if arrays else None
    except (DataError, TypeError, AttributeError):
        return None


def read_npz(path: Path) -> FerData:
    """Read arrays `images`, `emotion`, `usage` and, if there, `votes`. Raises DataError."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, AttributeError, TypeError, BadZipFile) as exc:
        raise DataError(f"{path.name} cannot be read as .npz ({exc}). Fetch it again") from exc
    missing = [name for name in ("images", "emotion", "usage") if name not in arrays]
    if missing:
        raise DataError(
            f"{path.name} lacks the array {missing[0]!r}; images, emotion, usage and, at will, votes "
            f"are read. It has: {', '.join(sorted(arrays)) or 'none'}"
        )
    return FerData(arrays["images"], arrays["emotion"], arrays["usage"], arrays.get("votes"))


def copies_of(images: NDArray[np.uint8], others: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Tell which images (N, 48, 48) also stand among `others` (M, 48, 48): bool (N,)."""
    known = {image.tobytes() for image in others}
    return np.array([image.tobytes() in known for image in images], bool)


def near_copies_of(images: NDArray[np.uint8], others: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Tell for each image (N, 48, 48) whether `others` (M, 48, 48) hold nearly the same, or its
    mirror image.

    Two images are near copies when their pixels, halved in resolution, correlate (Pearson) at
    NEAR_COPY_CORRELATION or more: the same photo moved by a pixel, cut a little wider, brighter or
    darker, or with a watermark. An image of one grey has no correlation and is nobody's copy.

    Returns: bool (N,), true for exact copies too.
    """
    found = np.zeros(len(images), bool)
    wanted = _standardized(images)
    known = np.concatenate([_standardized(others), _standardized(others[:, :, ::-1])]).T
    for start in range(0, len(images), _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        found[part] = (wanted[part] @ known).max(axis=1, initial=0.0) >= NEAR_COPY_CORRELATION
    return found


def _standardized(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return half-size pixels, float32 (N, P), with mean 0 and length 1: products are correlations."""
    height, width = images.shape[1] // 2, images.shape[2] // 2
    pixels = images.reshape(-1, height, 2, width, 2).mean(axis=(2, 4), dtype=np.float32)
    pixels = pixels.reshape(len(images), -1)
    pixels -= pixels.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(pixels, axis=1, keepdims=True)
    return np.asarray(pixels / np.maximum(lengths, 1e-3), np.float32)


def repeats(images: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Tell which images (N, 48, 48) also stand earlier in the array: bool (N,)."""
    seen: set[bytes] = set()
    found = np.zeros(len(images), bool)
    for i, image in enumerate(images):
        key = image.tobytes()
        found[i] = key in seen
        seen.add(key)
    return found


def training_rows(data: FerData, *, drop_leaks: bool) -> tuple[FerData, int]:
    """Return the Training split, and how many of its rows were left out as near copies of other
    splits' rows.

    Raises: DataError: no row is left of an emotion.
    """
    training = data.split("Training")
    if not drop_leaks:
        return _with_every_emotion(training), 0
    leaked = near_copies_of(training.images, data.images[data.usage != USAGES.index("Training")])
    return _with_every_emotion(training.rows(~leaked)), int(leaked.sum())


def _with_every_emotion(training: FerData) -> FerData:
    missing = [name for i, name in enumerate(EMOTIONS) if not (training.emotion == i).any()]
    if missing:
        raise DataError(
            f"no Training row is {missing[0]!r}, and every emotion needs some (near copies of other splits "
            f"are not counted). Add rows of: {', '.join(missing)}"
        )
    return training


def vote_shares(votes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the soft FER+ targets: single votes dropped as noise, the rest scaled to sum to 1
    (Barsoum et al. 2016).

    Args: votes: (N, 10).
    Returns: float32 (N, 10); a row without any vote left is all zero and so adds nothing to the
        loss.
    """
    kept = np.where(votes > 1, votes, 0).astype(np.float32)
    return np.asarray(kept / np.maximum(kept.sum(axis=1, keepdims=True), 1.0), np.float32)


def rarity_weights(shares: NDArray[np.float32], balance: float) -> NDArray[np.float32]:
    """Return how much each row counts when rare classes are to count more.

    A class of mean share m has the weight m ** -balance, at most four times that of the average
    row: without that limit, the 140 rows' worth of "not a face" would outweigh everything. A row's
    weight is the mean of its classes' weights by its own votes.

    Args:
        shares: float32 (N, K), targets of all training rows as from `vote_shares`.
        balance: 0 (all weights are 1) to 1 (all classes count the same, but for the limit).
    Returns: float32 (N,), of mean 1.
    """
    mean = shares.mean(axis=0)
    present = mean > 0
    by_class = np.where(present, np.where(present, mean, 1.0) ** -balance, 0.0)
    by_class = np.minimum(by_class, RAREST_WEIGHT * (mean * by_class).sum() / mean.sum())
    rows = shares @ by_class
    return np.asarray(rows / rows.mean(), np.float32)


def label_weights(emotion: NDArray[np.uint8], balance: float) -> NDArray[np.float32]:
    """Return how much each row counts when rare labels are to count more: count of its label **
    -balance.

    Args:
        emotion: uint8 (N,), original labels of all training rows.
        balance: 0 (all weights are 1) to 1 ("balanced": each label counts the same in total).
    Returns: float32 (N,), of mean 1.
    """
    counts = np.bincount(emotion, minlength=len(EMOTIONS))
    rows = np.maximum(counts, 1)[emotion] ** -balance
    return np.asarray(rows / rows.mean(), np.float32)


def _check_array(name: str, array: NDArray[np.uint8], shape: tuple[int, ...], *, highest: int) -> None:
    if array.shape != shape or array.dtype != np.uint8:
        raise DataError(
            f"array {name} must be uint8 {shape}, not {array.dtype} {array.shape}. Write the file again"
        )
    if array.size and array.max() > highest:
        raise DataError(f"array {name} must be 0-{highest}, found {array.max()}. Write the file again")
