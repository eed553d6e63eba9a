"""Places and quotas of processes that tell each other what they hold."""

import pytest

from fer_web.errors import OverloadedError, ServerFullError, TooManyGuessesError, TooManyJobsError
from fer_web.realtime.reading_pace import PRESENT_S, ReadingPace
from fer_web.realtime.streams import StreamRegistry
from fer_web.sharing.guessing import MAX_FAILURES, AddressGuessLimiter
from fer_web.sharing.places import MAX_OF_VISITOR, THIS_MACHINE, Sender
from fer_web.sharing.shared_limits import GONE_S, HeldPlaces, SharedLimits
from fer_web.web.api.analysis_access import MAX_IMAGES_OF_CLIENT, ClientQuota
from tests.support.clocks import Clock
from tests.support.fakes.backplane import Exchange

PLACES = 16


def guest(person="ann", address="10.0.0.7"):
    return Sender(person, address, is_guest=True, is_local=False)


class Process:
    """The streams of one process."""

    def __init__(self, exchange, clock, name):
        self.name = name
        self.limits = SharedLimits(exchange.process(), clock)
        self.streams = StreamRegistry(lambda: None, PLACES, clock, elsewhere=self.limits.places_of("streams"))
        self.withdrawn = []
        self.limits.share_places("streams", HeldPlaces(PLACES, self.streams.held, self._withdraw))

    def _withdraw(self, sid, error):
        self.withdrawn.append(str(error))
        self.streams.rest(sid)

    def opens(self, count, sender):
        """How many of so many further streams get a place."""
        begun = len(self.streams)
        for number in range(count):
            try:
                self.streams.get_or_open(f"{self.name} {sender.person} {begun + number}", sender)
            except ServerFullError:
                break
        return len(self.streams) - begun


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def exchange():
    return Exchange()


@pytest.fixture
def one(exchange, clock):
    return Process(exchange, clock, "one")


@pytest.fixture
def other(exchange, clock):
    return Process(exchange, clock, "other")


def test_a_visitor_has_the_same_few_places_at_all_processes_together(one, other):
    assert one.opens(3, guest()) == 3
    assert other.opens(10, guest()) == MAX_OF_VISITOR - 3
    assert one.opens(1, guest()) == 0
    assert other.opens(1, guest("bob")) == 1


def test_an_address_has_half_of_all_and_a_place_stays_for_the_host(one, other):
    assert sum((one, other)[n % 2].opens(1, guest(f"g{n}")) for n in range(40)) == PLACES // 2
    crowd = [guest(f"c{n}", f"10.0.1.{n}") for n in range(40)]
    for number, each in enumerate(crowd):
        (one, other)[number % 2].opens(1, each)
    assert len(one.streams) + len(other.streams) == PLACES - PLACES // 8
    assert other.opens(10, THIS_MACHINE) == PLACES // 8


def test_what_is_given_back_at_one_can_be_had_at_the_other(one, other):
    one.opens(MAX_OF_VISITOR, guest())
    assert other.opens(1, guest()) == 0
    one.streams.close(one.streams.held()[0].key)
    one.streams.rest(one.streams.held()[0].key)
    assert other.opens(5, guest()) == 2


def test_what_a_process_held_that_says_nothing_more_is_forgotten(one, other, clock):
    one.opens(MAX_OF_VISITOR, guest())
    clock.now_s += GONE_S - 0.1
    assert other.opens(1, guest()) == 0
    clock.now_s += 0.2
    assert other.opens(9, guest()) == MAX_OF_VISITOR


def test_who_comes_later_learns_of_what_is_held(exchange, clock, one):
    one.opens(MAX_OF_VISITOR, guest())
    late = Process(exchange, clock, "late")
    late.limits.tell()
    assert late.opens(1, guest()) == 0


def test_while_the_others_are_not_reached_the_local_bound_holds(exchange, one, other):
    exchange.is_down = True
    assert [each.opens(9, guest()) for each in (one, other)] == [MAX_OF_VISITOR] * 2


def test_of_places_given_away_at_the_same_moment_the_later_ones_are_taken_back(exchange, one, other):
    exchange.is_down = True
    one.opens(9, guest())
    other.opens(9, guest())
    exchange.is_down = False
    one.limits.tell()
    other.limits.tell()
    assert len(one.streams) == MAX_OF_VISITOR
    assert len(other.streams) == 0
    assert f"You have {MAX_OF_VISITOR} streams already" in other.withdrawn[0]
    assert one.opens(1, guest()) == other.opens(1, guest()) == 0


def test_places_had_for_long_stay_when_processes_meet_again(exchange, one, other):
    exchange.is_down = True
    for each in (one, other):
        each.opens(9, guest())
        for stream in each.streams._streams.values():
            stream.since_s -= 3600
    exchange.is_down = False
    one.limits.tell()
    other.limits.tell()
    assert len(one.streams) + len(other.streams) == 2 * MAX_OF_VISITOR


def test_a_client_has_the_same_images_at_all_processes_together(exchange, clock):
    quotas = []
    for _ in range(2):
        limits = SharedLimits(exchange.process(), clock)
        quota = ClientQuota(
            lambda: "10.0.0.7", lambda own=limits: own.counts_elsewhere("images"), limits.tell
        )
        limits.share_counts("images", quota.by_client)
        quotas.append(quota)
    held = [quotas[number % 2].taken() for number in range(MAX_IMAGES_OF_CLIENT)]
    for each in held:
        each.__enter__()
    for quota in quotas:
        with pytest.raises(OverloadedError), quota.taken():
            pass
    held[0].__exit__(None, None, None)
    with quotas[1].taken():
        pass


def test_an_owner_has_the_same_videos_at_all_processes_together(exchange, clock):
    from fer_web.analysis.videos.video_jobs import JobLimits, VideoQueue

    queues = []
    for _ in range(2):
        limits = SharedLimits(exchange.process(), clock)
        queue = VideoQueue(
            lambda _folder: None,
            JobLimits(queued_of_owner=2, queued_of_client=3),
            waiting_elsewhere=lambda own=limits: own.counts_elsewhere("videos"),
        )
        limits.share_counts("videos", queue.waiting)
        queues.append((limits, queue))
    (first, one), (_, other) = queues
    with one.slot_for("ann", "10.0.0.7"), other.slot_for("ann", "10.0.0.7"), one.slot_for("bob", "10.0.0.7"):
        first.tell()
        with pytest.raises(TooManyJobsError, match="You have 2 videos"), other.slot_for("ann", "10.0.0.8"):
            pass
        with (
            pytest.raises(TooManyJobsError, match="3 videos from your address"),
            other.slot_for("eve", "10.0.0.7"),
        ):
            pass
    first.tell()
    with other.slot_for("ann", "10.0.0.7"):
        pass


def test_wrong_links_are_counted_together_and_wrong_keys_beside_them(exchange, clock):
    pairs = []
    for _ in range(2):
        plane = exchange.process()
        pairs.append((AddressGuessLimiter(clock), AddressGuessLimiter(clock, guessed="keys")))
        for limiter in pairs[-1]:
            limiter.share(plane)
    for number in range(MAX_FAILURES):
        pairs[number % 2][0].failed("10.0.0.7")
    for links, keys in pairs:
        with pytest.raises(TooManyGuessesError):
            links.check("10.0.0.7")
        links.check("10.0.0.8")
        keys.check("10.0.0.7")


class Connection:
    closed = False


def test_what_a_visitor_may_send_is_parted_between_the_processes_that_hear_of_them(exchange, clock):
    paces = []
    for _ in range(2):
        limits = SharedLimits(exchange.process(), clock)
        pace = ReadingPace(10, 1000, clock)
        pace.processes_with = lambda person, own=limits: own.processes_with("senders", person)
        limits.share_counts("senders", pace.present)
        connection = Connection()
        pace.join(connection, "ann")
        paces.append((limits, pace, connection))
    (first, one, at_one), (_, other, at_other) = paces
    one.spend(at_one, 0, packets=20)
    assert one.wait_s(at_one) == 0
    first.tell()
    other.spend(at_other, 0, packets=20)
    assert other.wait_s(at_other) == pytest.approx(2)
    clock.now_s += PRESENT_S + 0.1
    first.tell()
    other.spend(at_other, 0, packets=10)
    assert other.wait_s(at_other) == pytest.approx(1, abs=0.2)


def test_a_process_that_is_alone_says_nothing():
    limits = SharedLimits()
    streams = StreamRegistry(lambda: None, 2, elsewhere=limits.places_of("streams"))
    limits.share_places("streams", HeldPlaces(2, streams.held, lambda *_: None))
    streams.get_or_open("a")
    limits.tell()
    assert limits.senders_elsewhere("streams") == []
