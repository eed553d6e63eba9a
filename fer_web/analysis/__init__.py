"""Files instead of a camera: images, folders of labelled images, and videos.

Only commands, web, factory and doctor import this package.
It may import history, inference, vision, metrics and everything below them, and no web framework.
"""
