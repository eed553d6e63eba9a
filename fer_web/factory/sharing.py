"""Builds what tells who makes a request, and what a link lets them do."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine

from fer_web.secret_file import load_secret
from fer_web.serving.modes import ServingMode
from fer_web.settings import Settings
from fer_web.sharing.authenticator import Authenticator
from fer_web.sharing.key_store import DatabaseKeyStore
from fer_web.sharing.keys import ApiKey, KeyBook
from fer_web.sharing.link_store import DatabaseLinkStore
from fer_web.sharing.links import LinkBook
from fer_web.sharing.types import ShareNetwork
from fer_web.sharing.visitor_registry import VisitorRegistry
from fer_web.web.auth.api_keys import RequestKeys
from fer_web.web.auth.owners import Owners
from fer_web.web.auth.visitors import VisitorAccess


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
    key_of_request: Callable[[], ApiKey | None]


def build_sharing(
    settings: Settings, *, database: Engine, mode: ServingMode, network: ShareNetwork | None
) -> SharingParts:
    """Build what tells who makes a request: keys, owners, links and visitors."""
    secret = load_secret(settings.data_dir)
    keys = KeyBook(DatabaseKeyStore(database))
    request_keys = RequestKeys(keys, mode.run_waiting)
    links = LinkBook(DatabaseLinkStore(database), run_waiting=mode.run_waiting)
    visitors = VisitorRegistry()
    authenticator = Authenticator(secret, links, visitors)
    return SharingParts(
        keys=keys,
        owners=Owners(secret, request_keys.owner),
        links=links,
        visitors=visitors,
        authenticator=authenticator,
        access=VisitorAccess(authenticator, links, visitors, key_of_request=request_keys.key),
        network=network,
        key_of_request=request_keys.key,
    )
