import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnzip.batch.journal import Entry, Journal
from cnnzip.batch.storage import Stamp
from cnnzip.errors import BatchError, FileError

SOURCE, TARGET = Stamp(10, "1"), Stamp(5, "2")


def test_what_was_noted_is_known_again(tmp_path) -> None:
    journal = Journal(tmp_path / "j", "request")
    assert not journal.resumed
    journal.begin(["a", "b", "\udcff"])
    journal.done("a", SOURCE, TARGET)
    journal.done("\udcff", SOURCE, None)
    journal.close(finished=False)
    again = Journal(tmp_path / "j", "request")
    assert again.resumed
    assert again.look_up("a") == Entry(SOURCE, TARGET)
    assert again.look_up("b") == Entry()
    assert again.look_up("\udcff") == Entry(SOURCE, None)
    assert again.look_up("c") is None
    # To begin a file once more does not undo what is known of it.
    again.begin(["a"])
    again.close(finished=False)
    third = Journal(tmp_path / "j", "request")
    assert third.look_up("a") == Entry(SOURCE, TARGET)
    third.close(finished=True)
    assert list(tmp_path.iterdir()) == []


def test_one_process_at_a_time(tmp_path) -> None:
    journal = Journal(tmp_path / "j", "request")
    with pytest.raises(BatchError, match=r"/j: another cnnzip is working on this batch$"):
        Journal(tmp_path / "j", "request")
    journal.close(finished=False)
    Journal(tmp_path / "j", "request").close(finished=False)


def test_the_journal_of_another_batch(tmp_path) -> None:
    Journal(tmp_path / "j", "request").close(finished=False)
    with pytest.raises(BatchError, match="the journal of another batch"):
        Journal(tmp_path / "j", "another")
    (tmp_path / "j").write_text("no journal\nat all\n")
    with pytest.raises(BatchError, match="is no journal"):
        Journal(tmp_path / "j", "request")
    assert (tmp_path / "j").read_text() == "no journal\nat all\n"


def test_a_place_where_there_can_be_none(tmp_path) -> None:
    with pytest.raises(FileError, match=r"/none/j: no such file or directory$"):
        Journal(tmp_path / "none" / "j", "request")


EVENTS = st.lists(st.tuples(st.sampled_from("bd"), st.sampled_from("xyz")), max_size=8)


@settings(max_examples=40, deadline=None)
@given(EVENTS, EVENTS, st.floats(0, 1))
def test_cut_off_anywhere(before: list[tuple[str, str]], after: list[tuple[str, str]], fraction: float) -> None:
    """Whatever a crash leaves of the last lines, all lines before are known, and it can be gone on with."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "j")
        journal = Journal(path, "request")
        sizes = [path.stat().st_size]
        for event in before:
            note(journal, event)
            sizes.append(path.stat().st_size)
        journal.close(finished=False)
        cut = round(fraction * sizes[-1])
        path.write_bytes(path.read_bytes()[:cut])
        # A line without its end is whole where nothing but the end is missing.
        whole = sum(size - 1 <= cut for size in sizes[1:])
        journal = Journal(path, "request")
        for event in after:
            note(journal, event)
        journal.close(finished=False)
        again = Journal(path, "request")
        kept = before[:whole] + after
        for name in "xyz":
            entry = again.look_up(name)
            assert (entry is not None) == any(name == other for _, other in kept)
            assert entry is None or entry.done == (("d", name) in kept)
        again.close(finished=True)


def note(journal: Journal, event: tuple[str, str]) -> None:
    kind, name = event
    if kind == "b":
        journal.begin([name])
    else:
        journal.done(name, SOURCE, TARGET)
