import numpy as np
import pytest
from PIL import Image

from cnnzip.errors import TrainingError
from cnnzip.train.data import load
from cnnzip.train.pack import pack


def test_a_folder_is_packed(photos, tmp_path):
    (photos / "deep").mkdir()
    (photos / "parrots-96x64.png").rename(photos / "deep" / "parrots.png")
    (photos / "notes.txt").write_text("no picture")
    output = tmp_path / "out" / "packed"
    count, total = pack(photos, output, side=80, quality=92)
    assert sorted(path.name for path in output.iterdir()) == ["deep-parrots.jpg", "lighthouse-64x96.jpg"]
    assert (count, total) == (2, sum(path.stat().st_size for path in output.iterdir()))
    with Image.open(output / "deep-parrots.jpg") as image:
        assert (image.format, image.size, image.mode) == ("JPEG", (80, 53), "RGB")
        assert [layer[1:3] for layer in image.layer] == [(1, 1)] * 3  # colour at full resolution
        with Image.open(photos / "deep" / "parrots.png") as before:
            expected = np.asarray(before.convert("RGB").resize((80, 53), Image.Resampling.LANCZOS), dtype=float)
        assert np.sqrt(np.mean((np.asarray(image) - expected) ** 2)) < 6
    assert len(load(output, least_side=50)) == 2
    # What is there is not made again.
    (output / "deep-parrots.jpg").write_bytes(b"kept")
    assert pack(photos, output)[0] == 2
    assert (output / "deep-parrots.jpg").read_bytes() == b"kept"


def test_nothing_to_pack(tmp_path):
    with pytest.raises(TrainingError, match="no usable picture"):
        pack(tmp_path, tmp_path / "out")
