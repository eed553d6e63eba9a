"""Folders of labelled images: found, classified, scored and reported; a custom model is tried out on them.

Everything that may import analysis may import this package.
It may import the stills beside it, inference, vision, metrics and what lies below them.
"""
