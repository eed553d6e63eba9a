"""Live facial expression recognition in the browser."""

import os

# A second check behind the size check of vision/frames.py, in pixels; OpenCV reads it when it is imported.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", "100000000")

__version__ = "0.1.0"
