"""Decides who may reach this server and where: addresses, certificates, links, visitors, API keys.

Serving, realtime, web, commands, doctor and factory import this package.
It may import storage and what lies below it, and no web framework.
"""
