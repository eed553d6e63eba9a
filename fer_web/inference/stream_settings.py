"""What a client may choose for its own stream, in place of the server's settings."""

from dataclasses import dataclass, replace
from typing import Final

from fer_web.errors import ProtocolError
from fer_web.inference.model_info import ModelInfo

MAX_SMOOTHING_S: Final = 10.0
"""Longer averages than `--smoothing-s` allows are refused here too."""

MAX_FACES: Final = 64
"""The largest number that a client may name; more than `--max-faces` are not analysed."""


@dataclass(frozen=True)
class StreamSettings:
    """One frame's settings; None is the server's own value.

    Attributes:
        smoothing_s: time constant of the shown scores in seconds, 0 to MAX_SMOOTHING_S; 0 is none.
        unsure_below: confidence under which a face is called unsure, 0 to 1.
        max_faces: faces analysed in the frame, 1 to MAX_FACES.

    Raises: ProtocolError: a value is of another type or out of its bounds.
    """

    smoothing_s: float | None = None
    unsure_below: float | None = None
    max_faces: int | None = None

    def __post_init__(self) -> None:
        """Refuse what is out of bounds, so that an invalid value cannot travel."""
        _check_number("smoothing_s", self.smoothing_s, MAX_SMOOTHING_S)
        _check_number("unsure_below", self.unsure_below, 1.0)
        count = self.max_faces
        is_whole = isinstance(count, int) and not isinstance(count, bool)
        if count is not None and not (is_whole and 1 <= count <= MAX_FACES):
            raise ProtocolError(f"max_faces must be an integer from 1 to {MAX_FACES}; {count!r:.40} came.")

    def chosen(self) -> dict[str, float | int]:
        """Return the values that differ from the server's own, by name."""
        return {name: value for name, value in vars(self).items() if value is not None}

    def applied_to(self, model: ModelInfo) -> ModelInfo:
        """Return the model as this stream sees it."""
        return model if self.unsure_below is None else replace(model, unsure_below=self.unsure_below)


def _check_number(name: str, value: object, high: float) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # One comparison refuses NaN and infinities too.
    if value is not None and not (is_number and 0 <= value <= high):  # type: ignore[operator]
        raise ProtocolError(f"{name} must be a number from 0 to {high:g}; {value!r:.40} came.")


SERVER_SETTINGS: Final = StreamSettings()
"""The choice of a client that chooses nothing."""
