"""Environments of the programs that tests start."""

OF_MAKE = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES", "VENV", "ARGS", "PYTHON", "CONFIGS")


def without_make(environment):
    """A copy without what `make test` leaves to its children: another make would go by its options."""
    return {name: value for name, value in environment.items() if name not in OF_MAKE}
