import pytest

from fer_web.errors import ServerFullError
from fer_web.sharing.places import MAX_OF_VISITOR, THIS_MACHINE, Sender, check_place

PLACES = 32


def guest(person, address="10.0.0.7"):
    return Sender(person, address, is_guest=True, is_local=False)


def takes(senders, places=PLACES):
    """How many of them get a place, one after the other."""
    taken = []
    for sender in senders:
        try:
            check_place("streams", places, taken, sender)
        except ServerFullError:
            continue
        taken.append(sender)
    return taken


def test_a_visitor_has_a_few_places():
    assert len(takes([guest("ann")] * 10)) == MAX_OF_VISITOR


def test_an_address_has_half_however_many_visitors_it_makes_up():
    assert len(takes([guest(str(number)) for number in range(40)])) == PLACES // 2


def test_all_visitors_together_leave_places_for_this_machine():
    crowd = [guest(str(number), f"10.0.0.{number}") for number in range(60)]
    taken = takes([*crowd, *[THIS_MACHINE] * 60])
    assert [sum(each.is_guest for each in taken), len(taken)] == [PLACES - PLACES // 8, PLACES]


@pytest.mark.parametrize(("places", "visitors"), [(1, 1), (2, 1), (4, 3), (8, 7), (16, 14)])
def test_of_few_places_one_stays_for_this_machine(places, visitors):
    crowd = [guest(str(number), f"10.0.0.{number}") for number in range(60)]
    assert len(takes(crowd, places)) == visitors


def test_who_is_refused_hears_what_to_do():
    with pytest.raises(ServerFullError, match=r"You have 4 recordings already\. Stop one"):
        check_place("recordings", PLACES, [guest("ann")] * MAX_OF_VISITOR, guest("ann"))
    with pytest.raises(ServerFullError, match="Your address has 16 streams"):
        check_place("streams", PLACES, [guest(str(n)) for n in range(16)], guest("ann"))
    with pytest.raises(ServerFullError, match="--max-clients"):
        check_place("streams", 1, [THIS_MACHINE], THIS_MACHINE)
