"""Frames in, faces out: pure array code without I/O or frameworks."""
