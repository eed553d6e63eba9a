"""Videos: opened, read frame by frame, analysed, written with boxes, and queued on the server.

Everything that may import analysis may import this package.
It may import the stills beside it, history, inference, vision, metrics and what lies below them.
"""
