"""An application that shares, and those who ask it: its host, visitors and outsiders."""

import datetime
import json

from fer_web.factory import create_application
from fer_web.history.types import NewSession, Sample
from fer_web.settings import Settings
from tests.support.fakes.models import write_empty_model
from tests.support.fakes.networks import FakeNetwork
from tests.support.fakes.pipelines import InstantPipeline

URL = "https://192.168.1.5:5443"
OTHER_URL = "https://fer-host.local:5443"
PHONE = "192.168.1.7"
ANDROID = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36"


class Shared:
    """The application, with a way to ask it."""

    def __init__(self, folder, **changes):
        self.network = changes.pop("network", FakeNetwork(URL, OTHER_URL))
        settings = Settings(
            model=write_empty_model(folder / "model"),
            async_mode="threading",
            detector="haar",
            data_dir=folder / "data",
            **changes,
        )
        self.base_path = settings.base_path
        self.application = create_application(settings, [InstantPipeline()], self.network)
        self.host = self.browser("127.0.0.1")
        self.host.client.get(
            f"{settings.base_path}/", query_string={"host": self.application.owners.host_token}
        )

    def close(self):
        self.application.scheduler.stop()
        self.application.close()

    def browser(self, address=PHONE):
        return Browser(self.application, address, self.base_path)

    def link(self, kind="join", **values):
        """A new link, as its host sees it."""
        answer = self.host.send("POST", "/api/v1/share/links", {"kind": kind, "name": "Anna", **values})
        assert answer.status_code == 201, answer.text
        return answer.json

    def visitor(self, kind="join", **values):
        """A phone that opened a new link; returns it and the link."""
        link, phone = self.link(kind, **values), self.browser()
        phone.open(link)
        return phone, link

    def session(self, state="finished", owner="somebody", name="A film"):
        """Id of a session with one sample."""
        store = self.application.history
        # Of just now: the application's own thread removes what is a month old.
        began = datetime.datetime.now(datetime.UTC)
        session_id = store.open_session(NewSession(owner, name, began, "m", "h", 5.0)).id
        sample = Sample(0.5, 1, (0.1, 0.1, 0.1, 0.1), (0, 0, 0, 1, 0, 0, 0), 3, 0.9, True)
        store.add_batch(session_id, [sample])
        if state == "finished":
            store.finish_session(session_id, 2.0)
        return session_id


class Browser:
    """One browser at an address."""

    def __init__(self, application, address, base_path=""):
        self.client = application.flask.test_client()
        self.client.environ_base["REMOTE_ADDR"] = address
        self.client.environ_base["HTTP_USER_AGENT"] = ANDROID
        self._application = application
        self._base_path = base_path

    def get(self, path, **options):
        """As a person would: a page is wanted."""
        options.setdefault("headers", {"Accept": "text/html"})
        return self.client.get(path, **options)

    def send(self, method, path, body=None):
        """As a page's script would."""
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Origin": "http://localhost",
        }
        data = json.dumps(body) if body is not None else None
        return self.client.open(f"{self._base_path}{path}", method=method, data=data, headers=headers)

    def open(self, link):
        """Open a link that its host has shown."""
        return self.get(link["urls"][0].removeprefix(URL))

    @property
    def cookie(self):
        """The visitor's cookie; None where there is none."""
        return self.client.get_cookie(self._application.authenticator.visitor_cookie)
