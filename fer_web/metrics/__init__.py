"""Scores predicted labels in numbers, tables and pictures; makes text safe for spreadsheets.

Every package above it may import it, train too.
It imports labels and errors only: plain NumPy, no files but the pictures that it writes.
"""
