"""The expression model is made here: data, networks, training, evaluation, export.

Only benchmarks and tests import this package; the server never does.
It may import labels, errors, metrics, vision and inference of fer_web.
"""
