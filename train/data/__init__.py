"""FER-2013 and its FER+ votes are read here, checked, split and cached; draws.py draws numbers.

Metrics, runs, fit, evaluation, export, train/__main__.py and benchmarks import it.
It may import labels, errors and vision of fer_web; it never imports Keras.
"""
