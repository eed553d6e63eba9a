"""Predictions are scored and calibrated here, and pictures are changed to score models on.

Runs, fit, evaluation, export and benchmarks import it.
It may import train.config and train.data, and labels, metrics and inference of fer_web.
"""
