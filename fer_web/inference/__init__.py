"""Turns a frame into results: model files, classifiers, heat maps and the pipeline of one frame.

Train, analysis, realtime, web, commands, doctor and factory import this package.
It may import vision and what lies below it, and no web framework.
"""
