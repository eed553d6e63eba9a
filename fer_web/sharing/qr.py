"""QR codes for a terminal."""

import io

import segno


def terminal_qr(text: str, encoding: str | None) -> str | None:
    """A QR code in half blocks, light on dark; None where a terminal of this encoding cannot show them."""
    out = io.StringIO()
    segno.make(text, error="m", micro=False).terminal(out, border=2, compact=True)
    drawing = out.getvalue()
    try:
        drawing.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return None
    return drawing
