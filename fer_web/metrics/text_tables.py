"""Tables and figures as plain text."""

from collections.abc import Sequence


def align(rows: Sequence[Sequence[str]], indent: str = "  ") -> str:
    """Columns of text: the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *others in rows:
        cells = [first.ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        lines.append(indent + "  ".join(cells).rstrip())
    return "\n".join(lines)


def percent(value: float | None, digits: int = 1) -> str:
    """A share (0-1) as a percentage; "-" where there is none."""
    return "-" if value is None else f"{100 * value:.{digits}f} %"


def certainty(probability: float) -> str:
    """A network's probability (0-1) as a percentage, ">99 %" at most, as on the pages: none is certain."""
    return ">99 %" if probability >= 0.995 else f"{100 * probability:.0f} %"


def interval(bounds: Sequence[float]) -> str:
    """Both ends of an interval of shares, as percentages."""
    return f"{100 * bounds[0]:.1f} to {100 * bounds[1]:.1f}"
