"""Live facial expression recognition in the browser."""

__version__ = "0.1.0"
