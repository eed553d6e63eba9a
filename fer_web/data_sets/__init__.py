"""Public data sets of faces: how their folders, file names and lists of labels name the expressions.

Everything above the settings, and train, may import this package.
It may import labels and errors.
"""
