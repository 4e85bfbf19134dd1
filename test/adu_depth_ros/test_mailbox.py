import threading
from collections import Counter

import pytest

from adu_depth_ros.mailbox import Mailbox


def test_the_newest_item_wins_and_the_replaced_one_is_reported():
    mailbox = Mailbox()
    assert [mailbox.put("front", item) for item in "abc"] == [False, True, True]
    assert mailbox.take() == ("front", "c")
    assert mailbox.put("front", "d") is False


@pytest.mark.parametrize("action", ["put", "close"])
def test_a_waiting_reader_wakes_up(action):
    mailbox, taken = Mailbox(), []
    reader = threading.Thread(target=lambda: taken.append(mailbox.take()))
    reader.start()
    if action == "put":
        mailbox.put("front", "item")
    else:
        mailbox.close()
    reader.join(5)
    assert taken == [("front", "item") if action == "put" else None]


def test_a_closed_mailbox_gives_nothing():
    mailbox = Mailbox()
    mailbox.put("front", "item")
    mailbox.close()
    assert mailbox.take() is None
    assert mailbox.take() is None


def test_sources_are_served_in_turn_however_fast_each_sends():
    mailbox, served = Mailbox(), Counter()
    for number in range(300):
        for source, every in (("front", 1), ("rear", 1), ("left", 2)):
            if number % every == 0:
                mailbox.put(source, number)
        source, _ = mailbox.take()
        mailbox.done(source)
        served[source] += 1
    assert max(served.values()) - min(served.values()) <= 1


def test_a_source_waits_while_its_item_is_in_work():
    mailbox = Mailbox()
    mailbox.put("front", 1)
    assert mailbox.take() == ("front", 1)
    mailbox.put("front", 2)
    mailbox.put("rear", 3)
    assert mailbox.take() == ("rear", 3)
    taken = []
    reader = threading.Thread(target=lambda: taken.append(mailbox.take()))
    reader.start()
    reader.join(0.1)
    assert reader.is_alive()
    mailbox.done("front")
    reader.join(5)
    assert taken == [("front", 2)]
