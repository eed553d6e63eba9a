"""A link store without a database."""

from fer_web.sharing.links import StoredLink


class MemoryLinkStore:
    """Links in a dictionary."""

    def __init__(self) -> None:
        self.links: dict[str, StoredLink] = {}

    def save(self, link: StoredLink) -> None:
        """Keep a link, or how it ended."""
        self.links[link.token_hash] = link

    def find(self, token_hash: str) -> StoredLink | None:
        """The link of this hash; None where there is none."""
        return self.links.get(token_hash)

    def forget(self, before_s: float) -> None:
        """Drop the links that expired before a moment, in seconds since 1970."""
        self.links = {key: link for key, link in self.links.items() if link.expires_s >= before_s}

    def whole(self, after_s: float) -> list[StoredLink]:
        kept = [each for each in self.links.values() if each.link and each.expires_s > after_s]
        return sorted(kept, key=lambda each: each.created_s)
