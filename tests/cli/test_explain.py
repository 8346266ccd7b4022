"""`cnnzip explain`, and `cnnzip info --entropy`."""

import io
import json

import numpy as np
import pytest
from PIL import Image


def test_the_map_is_written_beside_the_file(cnnzip, encoded, contents) -> None:
    before = encoded.read_bytes()
    done = cnnzip("explain", "photo.cnz")
    assert (done.code, done.stdout) == (0, b"")
    bits = 8 * next(
        s["size"] for s in cnnzip("info", "--json", "photo.cnz").records[0]["sections"] if s["name"] == "latent"
    )
    assert done.stderr.startswith("photo.cnz → photo.map.png: ")
    assert bits - 100 < int(done.stderr.split(": ")[1].split(" bits")[0].replace(",", "")) < bits
    assert set(contents()) == {"photo.cnz", "photo.map.png"}
    assert contents()["photo.cnz"] == before
    with Image.open("photo.map.png") as image:
        assert (image.format, image.mode) == ("PNG", "RGB")
        assert image.width > 640
        assert len(image.getcolors(1 << 24)) > 500


def test_channels_are_drawn_beside_it(cnnzip, encoded) -> None:
    plain = cnnzip("explain", "photo.cnz", "-o", "a.png", "--json").records[0]
    wide = cnnzip("explain", "photo.cnz", "-o", "b.png", "--json", "--channels", "3").records[0]
    assert plain["channels"] == []
    assert len(wide["channels"]) == 3
    shares = [channel["share"] for channel in wide["channels"]]
    assert 1 >= sum(shares) > 0
    assert shares == sorted(shares, reverse=True)
    for channel in wide["channels"]:
        assert channel["bits"] == pytest.approx(channel["share"] * wide["latent_bits"], abs=1)
    with Image.open("a.png") as a, Image.open("b.png") as b:
        assert b.width > a.width + 300
        # What stands on the left is the same.
        assert np.array_equal(np.asarray(a)[120:500, :700], np.asarray(b)[120:500, :700])


def test_more_channels_than_there_are(cnnzip, encoded) -> None:
    record = cnnzip("explain", "photo.cnz", "--json", "--channels", "1000").records[0]
    names = [channel["channel"] for channel in record["channels"]]
    assert sorted(names) == list(range(len(names)))
    assert sum(channel["share"] for channel in record["channels"]) == pytest.approx(1, abs=1e-3)


def test_the_record(cnnzip, encoded, work) -> None:
    record = cnnzip("explain", "photo.cnz", "--json").records[0]
    assert record["status"] == "ok"
    assert (record["width"], record["height"], record["hyper_latent_bits"]) == (96, 64, 0)
    assert record["bpp"] == pytest.approx(record["latent_bits"] / (96 * 64), abs=1e-5)
    assert record["highest_bpp"] > record["bpp"]
    assert record["bytes"] == (work / "photo.map.png").stat().st_size


def test_pipes_and_formats(cnnzip, encoded) -> None:
    data = encoded.read_bytes()
    done = cnnzip("explain", "-", stdin=data)
    assert done.code == 0
    assert Image.open(io.BytesIO(done.stdout)).format == "PNG"
    assert cnnzip("explain", "photo.cnz", "-o", "map.webp").code == 0
    assert Image.open("map.webp").format == "WEBP"


def test_nothing_is_overwritten(cnnzip, encoded, contents) -> None:
    assert cnnzip("explain", "photo.cnz").code == 0
    before = contents()
    done = cnnzip("explain", "photo.cnz", "--channels", "2")
    assert (done.code, done.error) == (1, "photo.map.png: exists; use --force to overwrite")
    assert contents() == before
    assert cnnzip("explain", "photo.cnz", "--channels", "2", "--force").code == 0
    assert contents()["photo.map.png"] != before["photo.map.png"]


def test_what_fails_leaves_nothing_behind(cnnzip, encoded, contents) -> None:
    (encoded.parent / "cut.cnz").write_bytes(encoded.read_bytes()[:-9])
    before = contents()
    done = cnnzip("explain", "cut.cnz")
    assert done.code == 1
    assert done.error.startswith("cut.cnz: the data ends ")
    done = cnnzip("explain", "photo.cnz", "--limit-pixels", "6143")
    assert (done.code, done.error[:32]) == (1, "photo.cnz: 96×64 is more than 61")
    assert contents() == before
    for options, said in {
        ("-o", "map.txt"): "no format is known for the suffix '.txt'",
        ("-o", "map"): "the output name has no suffix",
        ("--channels", "-1"): "Invalid value for '--channels'",
    }.items():
        done = cnnzip("explain", "photo.cnz", *options)
        assert done.code == 2
        assert done.error.startswith(said)
    assert contents() == before


def test_the_rest_is_still_explained(cnnzip, encoded, contents) -> None:
    (encoded.parent / "bad.cnz").write_bytes(b"no picture")
    done = cnnzip("explain", "bad.cnz", "photo.cnz", "--quiet")
    assert (done.code, done.stderr) == (1, "cnnzip: bad.cnz: not a .cnz file\n")
    assert set(contents()) == {"bad.cnz", "photo.cnz", "photo.map.png"}


def test_a_missing_model(cnnzip, encoded, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("CNNZIP_MODELS", str(tmp_path))
    for arguments in (("explain",), ("info", "--entropy")):
        done = cnnzip(*arguments, "photo.cnz")
        assert (done.code, done.stdout) == (1, b"")
        assert done.error.startswith("photo.cnz: the file needs model 'tiny' (")


def test_entropy_of_the_tables(cnnzip, encoded) -> None:
    plain, done = cnnzip("info", "photo.cnz").stdout.decode(), cnnzip("info", "--entropy", "photo.cnz")
    text = done.stdout.decode()
    assert (done.code, done.stderr) == (0, "")
    assert text.startswith(plain)
    assert "entropy under the tables" in text
    record = cnnzip("info", "--entropy", "--json", "photo.cnz").records[0]
    entropy = record["entropy"]
    latent = next(section["size"] for section in record["sections"] if section["name"] == "latent")
    assert 0 < latent - entropy["coded_bits"] / 8 < 12  # the section's own bytes
    assert 0 <= entropy["coded_bits"] - entropy["huffman_bits"] < 8
    assert entropy["huffman_bits"] == entropy["escape_bits"] + sum(
        table["layouts"][table["layout"]]["bits"] for table in entropy["tables"]
    )
    assert entropy["symbols"] == sum(table["symbols"] for table in entropy["tables"])
    assert entropy["alone_bits"]["symbol"] == entropy["escape_bits"] + sum(
        table["layouts"]["symbol"]["bits"] for table in entropy["tables"]
    )
    for table in entropy["tables"]:
        chosen = table["layouts"][table["layout"]]
        assert chosen["expected"] == min(layout["expected"] for layout in table["layouts"].values())
        assert chosen["expected"] >= table["entropy"]


def test_info_of_a_bad_file_prints_nothing_of_it(cnnzip, encoded) -> None:
    data = encoded.read_bytes()
    encoded.write_bytes(data[: len(data) // 2])
    done = cnnzip("info", "--entropy", "--json", "photo.cnz")
    assert done.code == 1
    assert [record["status"] for record in map(json.loads, done.stdout.splitlines())] == ["error"]
