"""Who makes a request: the host, the owner of sessions, a visitor with a link, or a program with a key.

The pages and the API of web, and factory, import this package.
It may import sharing and what lies below it.
"""
