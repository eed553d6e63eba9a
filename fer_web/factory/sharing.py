"""Builds what tells who makes a request, and what a link lets them do."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine

from fer_web.backplane.redis import RedisBackplane
from fer_web.backplane.types import CONNECTED, Backplane, NoBackplane
from fer_web.secret_file import load_secret
from fer_web.serving.modes import ServingMode
from fer_web.settings import Settings
from fer_web.sharing.authenticator import Authenticator
from fer_web.sharing.guessing import AddressGuessLimiter
from fer_web.sharing.key_store import DatabaseKeyStore
from fer_web.sharing.keys import ApiKey, KeyBook
from fer_web.sharing.link_store import DatabaseLinkStore
from fer_web.sharing.links import MAX_HOURS, LinkBook, LinkSharing
from fer_web.sharing.removal_store import DatabaseRemovalStore
from fer_web.sharing.shared_limits import SharedLimits
from fer_web.sharing.shared_visitors import SharedVisitors
from fer_web.sharing.types import ShareNetwork
from fer_web.sharing.visitor_registry import VisitorRegistry
from fer_web.web.auth.api_keys import RequestKeys
from fer_web.web.auth.owners import Owners
from fer_web.web.auth.visitors import VisitorAccess

LINKS_CHANGED = "links"
"""Topic of the backplane: look into the store of links."""


@dataclass(frozen=True)
class SharingParts:
    """The parts that tell who makes a request."""

    keys: KeyBook
    owners: Owners
    links: LinkBook
    visitors: VisitorRegistry
    authenticator: Authenticator
    access: VisitorAccess
    network: ShareNetwork | None
    backplane: Backplane
    limits: SharedLimits
    shared_visitors: SharedVisitors | None
    key_of_request: Callable[[], ApiKey | None]


def build_sharing(
    settings: Settings,
    *,
    database: Engine,
    mode: ServingMode,
    network: ShareNetwork | None,
    limits: SharedLimits,
) -> SharingParts:
    """Build what tells who makes a request: keys, owners, links and visitors."""
    secret = load_secret(settings.data_dir, settings.secret)
    backplane = limits.backplane
    keys = KeyBook(DatabaseKeyStore(database))
    link_guesses = AddressGuessLimiter()
    key_guesses = AddressGuessLimiter(guessed="keys", advice="send the right one")
    for limiter in (link_guesses, key_guesses):
        limiter.share(backplane)
    request_keys = RequestKeys(keys, mode.run_waiting, key_guesses)
    links = LinkBook(
        DatabaseLinkStore(database), run_waiting=mode.run_waiting, sharing=_link_sharing(backplane, secret)
    )
    visitors = VisitorRegistry()
    authenticator = Authenticator(
        secret, links, visitors, is_shared=backplane.is_shared, base_path=settings.base_path
    )
    for topic in (LINKS_CHANGED, CONNECTED):
        backplane.subscribe(topic, lambda _message: links.refresh())
    return SharingParts(
        backplane=backplane,
        limits=limits,
        shared_visitors=_shared_visitors(backplane, visitors, database, mode),
        keys=keys,
        owners=Owners(
            secret, request_keys.owner, host_token=settings.host_token, base_path=settings.base_path
        ),
        links=links,
        visitors=visitors,
        authenticator=authenticator,
        access=VisitorAccess(authenticator, links, visitors, link_guesses, key_of_request=request_keys.key),
        network=network,
        key_of_request=request_keys.key,
    )


def build_backplane(settings: Settings, mode: ServingMode) -> Backplane:
    """Build what reaches the other processes of the service, where there may be any."""
    if not settings.redis:
        return NoBackplane()
    # Processes with another secret are another service.
    secret = load_secret(settings.data_dir, settings.secret)
    name = hmac.digest(secret, b"service", "sha256").hex()[:16]
    return RedisBackplane(settings.redis, name, mode.run_waiting)


def _link_sharing(backplane: Backplane, secret: bytes) -> LinkSharing | None:
    if not backplane.is_shared:
        return None
    return LinkSharing(secret, lambda: backplane.publish(LINKS_CHANGED, {}, key=LINKS_CHANGED))


def _shared_visitors(
    backplane: Backplane, visitors: VisitorRegistry, database: Engine, mode: ServingMode
) -> SharedVisitors | None:
    if not backplane.is_shared:
        return None
    return SharedVisitors(
        visitors,
        DatabaseRemovalStore(database),
        backplane,
        longest_link_s=3600 * MAX_HOURS,
        run_waiting=mode.run_waiting,
    )
