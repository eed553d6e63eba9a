"""One test of a folder of labelled images."""

import datetime
from dataclasses import dataclass, field

from fer_web.analysis.folders.folder_scores import ImagePrediction


@dataclass
class FolderTest:
    """One test; the book's lock guards it.

    Attributes:
        predictions: by path, so that an image which is sent again counts once.
        client_key: which client began it, however many owners they are.
    """

    id: str
    owner: str
    name: str
    faces: str
    created_at: datetime.datetime
    used_s: float
    client_key: str = ""
    predictions: dict[str, ImagePrediction] = field(default_factory=dict)
    crops: int = 0
