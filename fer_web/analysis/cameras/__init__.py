"""Cameras and streams: opened, read by a thread, connected anew when they break.

Everything that may import analysis may import this package.
It may import vision and what lies below it.
"""
