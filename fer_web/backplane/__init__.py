"""The backplane carries news between the processes of one service; with one process it carries nothing.

Storage, sharing and realtime may import it. It may import errors and settings.
"""
