"""Frames in, faces out: decoding, detection, tracking, smoothing and crops, as pure array code.

Train, inference, analysis, benchmarks and factory import this package.
It may import labels, settings and errors; no files but the detectors' own, no web framework.
"""
