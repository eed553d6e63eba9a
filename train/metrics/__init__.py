"""Predictions are scored here in plain NumPy: accuracy, calibration, robustness.

Every package of train may import it.
It may import train.data, and labels, errors and metrics of fer_web.
"""
