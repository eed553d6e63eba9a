"""What tests and benchmarks share: servers, clients, faces, fakes, made files and the browser.

Tests and benchmarks import it, the program never does.
"""
