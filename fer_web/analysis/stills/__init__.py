"""Single images: read, searched for faces, classified, drawn on, and written as JSON, CSV and text.

Everything that may import analysis may import this package; the folders and videos beside it use its formats.
It may import inference, vision, metrics and what lies below them.
"""
