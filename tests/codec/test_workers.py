import threading
import time

import pytest

from cnnzip.codec.workers import each


@pytest.mark.parametrize("threads", [0, 1, 2, 9])
@pytest.mark.parametrize("count", [0, 1, 2, 20])
def test_results_come_in_order(threads, count):
    def work(number):
        time.sleep(0.001 * (number % 3))
        return number**2

    assert list(each(work, range(count), threads)) == [number**2 for number in range(count)]


def test_no_more_at_a_time_than_threads_and_none_ahead_of_a_slow_reader():
    lock, running, most, started = threading.Lock(), 0, 0, 0

    def work(number):
        nonlocal running, most, started
        with lock:
            running, started = running + 1, started + 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1
        return number

    for done, _ in enumerate(each(work, range(12), 3), start=1):
        time.sleep(0.02)
        assert started <= done + 3
    assert 2 <= most <= 3


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_ends_it(threads):
    def work(number):
        if number == 4:
            raise ValueError("four")
        return number

    results = each(work, range(10), threads)
    assert [next(results) for _ in range(4)] == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="four"):
        next(results)
