"""Where models are found, and in which order."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from cnnzip.codec.header import Header
from cnnzip.codec.model import Description, Model
from cnnzip.codec.models import Models, find_model, installed, model_for, search_path
from cnnzip.errors import BadModelError, ModelNotFoundError


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Path]:
    """Empty places for models: two of CNNZIP_MODELS, and the user's."""
    folders = {"first": tmp_path / "first", "second": tmp_path / "second", "user": tmp_path / "data/cnnzip/models"}
    for folder in folders.values():
        folder.mkdir(parents=True)
    monkeypatch.setenv("CNNZIP_MODELS", f"{folders['first']}::{folders['second']}")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return folders


@pytest.fixture
def header(tiny: Model) -> Header:
    return Header(1, 1, 3, 8, False, "tiny", tiny.description.id, 0, "huffman")


def put(tiny: Model, place: Path, name: str = "tiny") -> Path:
    return Path(shutil.copytree(tiny.folder, place / name))


def test_search_path(places: dict[str, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = search_path()[-1].parent / "cnnzip"
    shipped = [package / "_models", package.parent / "models"]
    assert search_path() == [places["first"], places["second"], places["user"], *shipped]
    monkeypatch.delenv("CNNZIP_MODELS")
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert search_path() == [tmp_path / ".local/share/cnnzip/models", *shipped]


def test_the_first_place_wins(places: dict[str, Path], tiny: Model, header: Header) -> None:
    for place in ("user", "second", "first"):
        folder = put(tiny, places[place])
        assert find_model("tiny").folder == folder
        assert model_for(header).folder == folder


def test_a_folder_that_is_a_bundle_is_a_name(places: dict[str, Path], tiny: Model, tmp_path: Path) -> None:
    folder = put(tiny, tmp_path, "elsewhere")
    assert find_model(str(folder)).folder == folder


def test_a_file_finds_its_model_by_id_under_any_name(places: dict[str, Path], tiny: Model, header: Header) -> None:
    folder = put(tiny, places["first"], "renamed")
    assert model_for(header).folder == folder


def test_no_such_model(places: dict[str, Path], tiny: Model) -> None:
    put(tiny, places["first"])
    put(tiny, places["second"], "other")
    for name in ("huge", "a" * 300, "tiny/model.json", ""):
        with pytest.raises(ModelNotFoundError, match=rf"^no model is called '{name}' \(installed: .*other.*tiny"):
            find_model(name)


def test_the_model_of_a_file_is_missing(places: dict[str, Path], tiny: Model, header: Header) -> None:
    put(tiny, places["first"])
    other = replace(header, model_name="photo", model_id=bytes(range(8)))
    with pytest.raises(ModelNotFoundError, match=r"^the file needs model 'photo' \(0001020304050607\), which is not"):
        model_for(other)


def test_what_is_no_bundle_is_passed_over(places: dict[str, Path], tiny: Model) -> None:
    (places["first"] / "empty").mkdir()
    (places["first"] / "a file").touch()
    places["second"].rmdir()
    places["second"].touch()
    folder = put(tiny, places["user"])
    assert next(found for found, _ in installed()) == folder


def test_damaged_bundles_are_listed_and_refused(places: dict[str, Path], tiny: Model, header: Header) -> None:
    folder = put(tiny, places["first"])
    (folder / "model.json").write_text("{")
    found, error = next(installed())
    assert (found, type(error)) == (folder, BadModelError)
    for call in (lambda: find_model("tiny"), lambda: model_for(header)):
        with pytest.raises(BadModelError, match=r"/first/tiny/model\.json: not a model's description"):
            call()
    # A sound copy further down serves the files; the name still means the first.
    sound = put(tiny, places["second"])
    assert model_for(header).folder == sound


def test_descriptions_are_read_without_weights(places: dict[str, Path], tiny: Model) -> None:
    folder = put(tiny, places["first"])
    (folder / "weights.safetensors").unlink()
    found, description = next(installed())
    assert found == folder
    assert isinstance(description, Description)
    assert description.training == json.loads((folder / "model.json").read_text())["training"]


def test_models_stay_loaded(installed_tiny: Path, tiny: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    loads = []

    def load(header: Header) -> Model:
        loads.append(header.model_id)
        return tiny

    monkeypatch.setattr("cnnzip.codec.models.model_for", load)
    headers = {name: Header(1, 1, 3, 8, False, "m", bytes([name]) * 8, 7500, "huffman") for name in range(6)}
    models = Models()
    for name in (0, 0, 1, 2, 3, 0, 4, 0, 1):
        assert models(headers[name]) is tiny
    # The fifth model sent away the one that was used longest ago, which is 1 and not 0.
    assert [load[0] for load in loads] == [0, 1, 2, 3, 4, 1]
