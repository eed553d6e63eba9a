"""Models that others trained: recognised by their bytes, opened with care, adapted to our labels and input.

Everything that may import inference may import this package.
It may import the inference modules beside it, vision and what lies below it.
"""
