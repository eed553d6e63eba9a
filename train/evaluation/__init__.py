"""Scores of one model, or of several side by side, as JSON, text and plots.

Export and train/__main__.py import it.
It may import data, metrics, networks and runs.
"""
