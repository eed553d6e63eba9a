"""Describes the network that runs, of whichever kind, for server, page, history and report."""

from dataclasses import dataclass, field
from typing import Any

from fer_web.vision.preprocess import FER_CROP


@dataclass(frozen=True)
class ModelInfo:
    """A network as its users see it.

    Attributes:
        name: shown to people.
        model_hash: SHA-256 of the file that runs, hexadecimal; names the model in results and histories.
        size_hw: height and width of a crop in pixels.
        channels: of a crop: 1 is grey, 3 is red, green, blue.
        unsure_below: confidence (0-1) under which a face is called unsure.
        max_uncertainty: uncertainty (0-1) over which a face is called unsure.
        is_calibrated: whether a confidence of 0.8 was measured to be right in 80 % of cases.
        has_original: whether there is a second output, for FER-2013's own labels.
        heatmaps: how its heat maps are made, None where it has none.
        no_heatmaps: why it has none, one sentence.
        crop: how much of a head it sees: a name of vision.preprocess.CROPS.
        missing: expressions that it cannot name, as it has no output for them; their scores are always 0.
        options: what else decides its scores; plain JSON types, kept with a session.
    """

    name: str
    model_hash: str
    size_hw: tuple[int, int]
    channels: int
    unsure_below: float
    max_uncertainty: float
    is_calibrated: bool = True
    has_original: bool = False
    heatmaps: str | None = None
    no_heatmaps: str = ""
    crop: str = FER_CROP
    missing: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)

    def is_sure(self, confidence: float, uncertainty: float) -> bool:
        """Tell whether an expression may be named."""
        return confidence >= self.unsure_below and uncertainty <= self.max_uncertainty
