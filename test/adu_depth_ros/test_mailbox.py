import threading

import pytest

from adu_depth_ros.mailbox import Mailbox


def test_the_newest_item_wins_and_the_replaced_one_is_reported():
    mailbox = Mailbox()
    assert [mailbox.put(item) for item in "abc"] == [False, True, True]
    assert mailbox.take() == "c"
    assert mailbox.put("d") is False


@pytest.mark.parametrize("action", ["put", "close"])
def test_a_waiting_reader_wakes_up(action):
    mailbox, taken = Mailbox(), []
    reader = threading.Thread(target=lambda: taken.append(mailbox.take()))
    reader.start()
    if action == "put":
        mailbox.put("item")
    else:
        mailbox.close()
    reader.join(5)
    assert taken == ["item" if action == "put" else None]


def test_a_closed_mailbox_gives_nothing():
    mailbox = Mailbox()
    mailbox.put("item")
    mailbox.close()
    assert mailbox.take() is None
    assert mailbox.take() is None
