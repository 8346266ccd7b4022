"""An S3 server on loopback as source and target."""

import json

import pytest

from cnnzip.batch import storage
from cnnzip.errors import FileError, OutputExistsError

pytest.importorskip("s3fs", reason="s3fs is not installed")
moto = pytest.importorskip("moto.server", reason="moto is not installed")


@pytest.fixture(scope="module")
def server():
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def bucket(server, monkeypatch, installed_tiny) -> str:
    for name, value in {"ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "x", "DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    files, _ = storage.remote("s3://pictures")
    if files.exists("pictures"):
        files.rm("pictures", recursive=True)
    files.mkdir("pictures")
    return "s3://pictures"


def test_there_and_back(bucket, photo_file, tmp_path, cnnzip, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    pictures = [photo_file, photo_file.with_name("lighthouse-64x96.png")]
    for number, path in enumerate(pictures):
        storage.write(f"{bucket}/in/{number}/a.png", path.read_bytes(), force=False)
    storage.write(f"{bucket}/in/readme", b"no picture", force=False)
    done = cnnzip("encode", "--model", "tiny", "-r", f"{bucket}/in", "--output-dir", f"{bucket}/out", "--json")
    assert done.code == 0, done.stderr
    assert [record["output"] for record in done.records] == [f"{bucket}/out/{number}/a.cnz" for number in (0, 1)]
    assert json.loads(done.stderr)["other"] == 1
    # Once more: what is there is never replaced.
    assert cnnzip("encode", "--model", "tiny", "-r", f"{bucket}/in", "--output-dir", f"{bucket}/out").code == 1
    assert cnnzip("decode", "-r", f"{bucket}/out", "--output-dir", "back", "--quiet", "--rm").code == 0
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.png")) == [
        "back/0/a.png",
        "back/1/a.png",
    ]
    assert storage.stamp(f"{bucket}/out/0/a.cnz") is None


def test_an_object(bucket) -> None:
    name = f"{bucket}/a/b"
    assert storage.stamp(name) is None
    with pytest.raises(FileError, match="no such file"):
        storage.read(name)
    storage.write(name, b"first", force=False)
    before = storage.stamp(name)
    with pytest.raises(OutputExistsError, match=r"^s3://pictures/a/b: exists; use --force to overwrite$"):
        storage.write(name, b"other", force=False)
    assert (storage.read(name), storage.read_head(name, 2)) == (b"first", b"fi")
    storage.write(name, b"other", force=True)
    assert storage.stamp(name) != before
    storage.remove(name)
    assert storage.stamp(name) is None


def test_a_kind_of_url_that_nobody_knows() -> None:
    with pytest.raises(FileError, match="nonsense"):
        storage.read("nonsense://x/y")
