"""Says in words what a browser calls itself: "Chrome on Android"."""

UNKNOWN_DEVICE = "Browser"

_BROWSERS = (
    # The order matters: most browsers name others too.
    ("SamsungBrowser/", "Samsung Internet"),
    ("Edg", "Edge"),  # Edg/, EdgA/, EdgiOS/
    ("OPR/", "Opera"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)


def device_of(user_agent: str) -> str:
    """The device of a User-Agent header. Only words of ours: the header is whatever a client sends."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), UNKNOWN_DEVICE)
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return f"{browser} on {system}" if system else browser
