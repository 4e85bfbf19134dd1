import threading

import pytest

from adu_depth_core.prefetch import Prefetch


def test_items_come_in_order_and_end():
    with Prefetch(range(20), depth=2) as items:
        assert list(items) == list(range(20))


def test_no_more_than_the_depth_is_made_ahead():
    made = []
    paused = threading.Event()

    def items():
        for i in range(10):
            made.append(i)
            if i == 4:
                paused.set()
            yield i

    with Prefetch(items(), depth=2) as ahead:
        iterator = iter(ahead)
        assert next(iterator) == 0
        assert not paused.wait(0.2)  # one consumed, two queued, one in progress
        assert len(made) <= 4
        assert list(iterator) == list(range(1, 10))


def test_an_error_comes_where_the_item_would():
    def items():
        yield 1
        raise ValueError("damaged")

    with Prefetch(items()) as ahead:
        iterator = iter(ahead)
        assert next(iterator) == 1
        with pytest.raises(ValueError, match="damaged"):
            next(iterator)


def test_leaving_early_ends_the_thread():
    with Prefetch(iter(int, 1), depth=1) as items:
        next(iter(items))
    assert not any(thread.name == "reading" for thread in threading.enumerate())
