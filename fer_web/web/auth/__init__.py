"""Tells who makes a request: host, owner of sessions, visitor with a link, or program with a key.

The pages and the API of web, and factory, import this package.
It may import sharing and what lies below it.
"""
