"""One model, or several side by side, are scored here, as JSON, text and plots.

Export and train/__main__.py import it.
It may import data, metrics, networks and runs, and labels, errors, metrics and inference of
fer_web.
"""
