"""A network whose addresses are set by hand."""

from fer_web.sharing.types import ShareAddress


class FakeNetwork:
    """A ShareNetwork."""

    fingerprint = "AB:CD"
    authority_pem = b"PEM"

    def __init__(self, *urls):
        self.urls = list(urls)

    def addresses(self):
        return [ShareAddress(url, "lan") for url in self.urls]

    def hosts(self):
        return frozenset({"localhost", *(url.split("//")[1].rsplit(":", 1)[0] for url in self.urls)})
