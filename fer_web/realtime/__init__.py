"""Socket.IO: who may connect, frames on their way to the workers, answers, recordings and watchers.

Only factory imports this package.
It may import history, sharing, serving, inference and what lies below them, and never web.
"""
