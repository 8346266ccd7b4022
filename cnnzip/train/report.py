"""How a run is told: live on a terminal, as JSON lines in a file, and as curves at the end."""

import json
from collections.abc import Sequence
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from cnnzip.errors import FileError
from cnnzip.files import write_atomic
from cnnzip.train.task import Measure, Validation

LOG = "log.jsonl"
CURVES = "curves.png"

EVERY = 20
"""Steps between two lines of the log, and the span of the running means that are shown."""


class FileReporter:
    """Writes `log.jsonl` in the run's folder, and shows a progress line where `console` is a terminal.

    A log line is a JSON object: either step, progress, seconds, loss, the measures, rate (loss and measures are means
    over the last steps), or step, valid (the loss), points (the measures at each of a validation's points) and best.
    """

    def __init__(self, folder: Path, console: Console, measures: tuple[Measure, ...]) -> None:
        self.measures = measures
        self.path = folder / LOG
        self.console = console
        self.sums: dict[str, float] = {}
        self.count = 0
        self.means = ""
        self.trained = ""
        self.valid = ""
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.percentage:3.0f} %  {task.fields[left]}"),
            console=console,
            expand=True,
            disable=not console.is_terminal,
        )
        self.task = self.progress.add_task("starting", total=1.0, left="")

    def __enter__(self) -> "FileReporter":
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def begin(self, step: int) -> None:
        """See `loop.Reporter`."""
        # What came after the checkpoint will be done, and told, again.
        kept = [line for line in read_log(self.path) if line["step"] <= step] if step else []
        write_atomic(self.path, "".join(json.dumps(line) + "\n" for line in kept).encode(), force=True)

    def step(self, values: dict[str, float]) -> None:
        """See `loop.Reporter`."""
        self.count += 1
        for name in ("loss", *(measure.name for measure in self.measures)):
            self.sums[name] = self.sums.get(name, 0.0) + values[name]
        step, progress = int(values["step"]), values["progress"]
        if step % EVERY == 0 or progress >= 1:
            means = {name: total / self.count for name, total in self.sums.items()}
            self.sums, self.count = {}, 0
            self._write({**values, **means})
            self.trained = f"  train {means['loss']:#.4g}"
            shown = self._shown([means[measure.name] for measure in self.measures])
            self.means = "  ".join(("", f"loss {means['loss']:#.4g}", *shown))
        left = values["seconds"] * (1 - progress) / progress if progress else 0.0
        self.progress.update(
            self.task,
            completed=progress,
            description=f"step {step}{self.means}{self.valid}",
            left=f"{timedelta(seconds=max(0, round(left)))} left",
        )

    def validation(self, step: int, result: Validation, best: bool) -> None:
        """See `loop.Reporter`."""
        self._write({"step": step, "valid": result.loss, "points": result.points, "best": best})
        self.valid = f"  valid {result.loss:#.4g}"
        if not self.console.is_terminal:
            points = "  ".join(" ".join(self._shown(point)) for point in result.points)
            mark = " (best)" if best else ""
            self.console.print(
                f"step {step}{self.trained}{self.valid}{mark}  {points}", highlight=False, soft_wrap=True
            )

    def exhausted(self, step: int, patience: int) -> None:
        """See `loop.Reporter`."""
        self.console.print(f"step {step}: ended, {patience} validations in a row were no better", highlight=False)

    def _shown(self, values: Sequence[float]) -> list[str]:
        return [measure.text.format(value) for measure, value in zip(self.measures, values, strict=True)]

    def _write(self, values: dict[str, Any]) -> None:
        try:
            with self.path.open("a", encoding="utf-8") as log:
                log.write(json.dumps(values) + "\n")
        except OSError as error:
            raise FileError(f"{self.path}: cannot be written: {error.strerror}") from error


def read_log(path: Path) -> list[dict[str, Any]]:
    """The lines of a log; a last line that was cut off by a crash is left out."""
    if not path.is_file():
        return []
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            lines.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return lines


def draw_curves(folder: Path, measures: tuple[Measure, ...]) -> Path:
    """Draw `curves.png` from the log of the run in `folder`: loss and measures over the steps.

    Raises:
        FileError: it cannot be written.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    lines = read_log(folder / LOG)
    steps = [line for line in lines if "loss" in line]
    valid = [line for line in lines if "valid" in line]
    drawn = [("loss", "loss"), *((measure.name, measure.title) for measure in measures)]
    figure, axes = plt.subplots(1, len(drawn), figsize=(4.3 * len(drawn), 3.6), layout="constrained")
    for axis, (name, title) in zip(axes, drawn, strict=True):
        axis.plot([s["step"] for s in steps], [s[name] for s in steps], lw=0.6, alpha=0.5, label="training")
        axis.set(xlabel="step", title=title)
        axis.grid(alpha=0.3)
    if valid:
        at = [v["step"] for v in valid]
        axes[0].plot(at, [v["valid"] for v in valid], color="C1", label="validation")
        for k in range(len(valid[0]["points"])):
            for part, axis in enumerate(axes[1:]):
                axis.plot(at, [v["points"][k][part] for v in valid], color=f"C{k + 1}", lw=1)
    if steps:
        axes[0].set_ylim(0, 4 * sorted(s["loss"] for s in steps)[len(steps) // 2])
    axes[0].legend()
    png = BytesIO()
    figure.savefig(png, dpi=110, format="png")
    plt.close(figure)
    write_atomic(folder / CURVES, png.getbuffer(), force=True)
    return folder / CURVES
