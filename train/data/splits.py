"""All forms of FER-2013 share the side of its images and the names of its splits."""

SIDE = 48

USAGES = ("Training", "PublicTest", "PrivateTest")
"""Kaggle's names of the splits; their positions are the ids in FerData.usage."""
