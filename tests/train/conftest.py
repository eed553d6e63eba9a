"""Small generated data and networks for the training tests."""

import pytest

from tests.support.fer_rows import make_data
from train.config import FitConfig, from_dict
from train.data.fer_data import FerData


@pytest.fixture(scope="session")
def data() -> FerData:
    """64 Training and 28 PublicTest rows with votes."""
    return make_data()


@pytest.fixture(scope="session")
def tiny_config() -> FitConfig:
    """A network and run that take seconds: no augmentation, so that it can learn the rows by heart."""
    return from_dict(
        {
            "epochs": 3,
            "batch_size": 16,
            "dtype_policy": "float32",
            "label_smoothing": 0.0,
            "ema_momentum": 0.5,
            # Rows of one label are near copies of each other: there would be nothing left.
            "drop_leaks": False,
            "network": {"stem_filters": [8, 8], "blocks": [[16, 2]], "dropout": 0.1},
            "augment": {
                "rotate_degrees": 0,
                "scale": 0,
                "shift": 0,
                "brightness": 20,
                "contrast": 0.1,
                "erase_share": 0,
            },
        }
    )
