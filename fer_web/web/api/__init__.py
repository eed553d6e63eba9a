"""The HTTP API under /api/v1: routes that validate, call and reply, and their JSON.

Only factory and the packages of web import this package.
It may import everything that web may; `openapi/` describes what it answers.
"""
