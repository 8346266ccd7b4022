import threading
import time

import pytest

from cnnzip.codec.workers import each, flow


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


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("at_once", [1, 2])
def test_everything_is_finished_as_soon_as_its_parts_are_there(threads, at_once):
    needs = [[0, 1], [1], [1, 2, 5], [7, 2], [], [7]]
    made, there = [], {}
    busy, most = 0, 0
    lock = threading.Lock()

    def make(number):
        with lock:
            made.append(number)
        return str(number)

    def finish(number, parts):
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
            there[number] = sorted(parts)
        assert [parts[part] for part in needs[number]] == [str(part) for part in needs[number]]
        time.sleep(0.002)
        with lock:
            busy -= 1

    flow(make, needs, finish, threads=threads, at_once=at_once)
    assert sorted(made) == [0, 1, 2, 5, 7]  # each once, and none that nothing needs
    assert sorted(there) == list(range(6))
    assert most <= min(at_once, threads)
    if threads == 1:
        # In order, with nothing kept that is of no more use.
        assert made == [0, 1, 2, 5, 7]
        assert there == {4: [], 0: [0, 1], 1: [1], 2: [1, 2, 5], 3: [2, 7], 5: [7]}


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("failing", ["make", "finish"])
def test_what_fails_in_a_flow_ends_it(threads, failing):
    def make(number):
        if failing == "make" and number == 3:
            raise ValueError("a part")
        return number

    def finish(number, parts):
        if failing == "finish" and number == 3:
            raise ValueError("a result")

    with pytest.raises(ValueError, match=r"^a (part|result)$"):
        flow(make, [[number] for number in range(50)], finish, threads=threads, at_once=2)
