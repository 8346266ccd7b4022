import pytest

from cnnzip.bench import runtimes


def test_a_row_for_each_runtime(installed_tiny, photo_file, monkeypatch, capsys):
    pytest.importorskip("torch")
    pytest.importorskip("openvino")
    monkeypatch.setattr("sys.argv", ["runtimes", str(photo_file.parent), "--model", "tiny", "--quality", "60"])
    runtimes.main()
    head, names, *rows = capsys.readouterr().out.splitlines()
    assert head == "2 pictures, model tiny, quality 60, 1 threads"
    assert names.split()[0] == "runtime"
    values = {name: [float(value) for value in rest] for name, *rest in map(str.split, rows)}
    assert list(values) == ["onnx", "torch", "openvino"]
    assert values["onnx"][-1] == float("inf")
    for speed_in, speed_out, bpp, psnr, apart in values.values():
        assert min(speed_in, speed_out) > 0
        assert bpp == pytest.approx(values["onnx"][2], rel=0.05)
        assert psnr == pytest.approx(values["onnx"][3], abs=0.3)
        assert apart > 35
    monkeypatch.setattr("sys.argv", ["runtimes", str(photo_file.parent), "--model", "nosuch"])
    with pytest.raises(SystemExit, match=r"^cnnzip.bench.runtimes: no model is called 'nosuch'"):
        runtimes.main()
