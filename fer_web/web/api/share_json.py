"""Makes what the addresses of sharing answer: types of sharing -> JSON."""

import io
from collections.abc import Sequence
from typing import Any

import segno

from fer_web.sharing.types import Link, ShareAddress
from fer_web.sharing.visitor_registry import Visitor

QUIET_ZONE = 4
"""Modules of white around a code, as ISO/IEC 18004 asks for."""


def link_to_wire(link: Link, *, now_s: float, visitors: int, urls: Sequence[str]) -> dict[str, Any]:
    """A link as the host sees it. `urls`: its full addresses, the best first; none unless it is open."""
    return {
        "id": link.id,
        "kind": link.kind,
        "name": link.name,
        "created_ms": _ms(link.created_s),
        "expires_ms": _ms(link.expires_s),
        "state": link.state(now_s),
        "session": link.session,
        "video": link.video,
        "visitors": visitors,
        "urls": list(urls),
    }


def visitor_to_wire(visitor: Visitor) -> dict[str, Any]:
    """A visitor as the host sees it."""
    return {
        "id": visitor.id,
        "link": visitor.link,
        "device": visitor.device,
        "address": visitor.address,
        "since_ms": _ms(visitor.since_s),
        "streams": visitor.is_streaming,
        "connections": visitor.connections,
    }


def address_to_wire(address: ShareAddress) -> dict[str, Any]:
    """An address of the server."""
    return {"url": address.url, "kind": address.kind}


def qr_svg(text: str) -> bytes:
    """A QR code as SVG: dark on white in any theme, and nothing loaded from elsewhere."""
    out = io.BytesIO()
    code = segno.make(text, error="m", micro=False)
    code.save(out, kind="svg", border=QUIET_ZONE, dark="#000", light="#fff", xmldecl=False, omitsize=True)
    return out.getvalue()


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
