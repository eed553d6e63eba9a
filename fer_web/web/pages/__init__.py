"""The HTML pages: each module renders one area of the site.

Only factory imports this package.
It may import the API's descriptions and auth beside it, and what web may import.
"""
