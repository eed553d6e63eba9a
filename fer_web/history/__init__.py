"""Sessions and their samples: recorded, stored, read, summarised, exported, imported and removed when old.

Analysis, realtime, web, commands, doctor and factory import this package.
It may import storage and what lies below it, and no web framework.
"""
