"""The commands of `python -m fer_web`: each parses options, calls one part of the program and prints.

Only fer_web/__main__.py imports this package.
It may import every other package. This file imports nothing, because `doctor` must run without packages.
"""
