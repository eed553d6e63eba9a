"""How well labels were predicted, as numbers, tables and pictures; and text that is safe in spreadsheets.

Every package above it may import it, train too.
It imports labels and errors only: plain NumPy, no files but the pictures that it writes.
"""
