"""Middleware before Flask and Socket.IO: host names, origins, proxies, sizes, and headers of every answer.

Only factory imports this package.
It may import the answers of web, sharing, settings and errors.
"""
