"""Everything over HTTP: pages, the API, who asks, and what is refused.

Only factory imports this package.
It may import analysis, history, sharing, serving, inference and what lies below them, and never realtime.
"""
