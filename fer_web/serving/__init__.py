"""Brings requests to the program: listeners, eventlet or threads, the greeting, periodic work.

App.py, factory, realtime and commands import this package.
It may import sharing, settings, errors and labels; it is the only package that knows eventlet.
"""
