"""Training runs side by side: what each learnt of its own pictures, and of those that it never saw.

    python -m cnnzip.train.runs RUN-DIR...

The training loss is the mean over the last tenth of the steps, the validation loss that of the averaged weights.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cnnzip.errors import CnnzipError, TrainingError
from cnnzip.train.report import LOG, read_log


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    steps: int
    minutes: float
    training_loss: float
    validations: tuple[tuple[int, float], ...]
    """(step, loss) of each."""

    @classmethod
    def of(cls, folder: Path) -> "Outcome":
        """The outcome of the run in `folder`, or how it stands.

        Raises:
            TrainingError: there is no run, or it has not come to its first lines.
        """
        lines = read_log(folder / LOG)
        trained = [line for line in lines if "loss" in line]
        if not trained:
            raise TrainingError(f"{folder}: no run in it")
        steps = trained[-1]["step"]
        late = [line["loss"] for line in trained if line["step"] > 0.9 * steps]
        validations = tuple((line["step"], line["valid"]) for line in lines if "valid" in line)
        return cls(steps, trained[-1]["seconds"] / 60, float(np.mean(late)), validations)


def print_table(folders: list[Path]) -> None:
    """Print a row a run; raises TrainingError."""
    width = max(len(folder.name) for folder in folders)
    print(f"{'run':{width}}   steps  minutes  training  validation     best  at step")
    for folder in folders:
        outcome = Outcome.of(folder)
        row = f"{folder.name:{width}}  {outcome.steps:6,}  {outcome.minutes:7.1f}  {outcome.training_loss:8.4f}"
        if outcome.validations:
            step, best = min(outcome.validations, key=lambda validation: validation[1])
            row += f"  {outcome.validations[-1][1]:10.4f}  {best:7.4f}  {step:7,}"
        print(row)


def main() -> None:
    """Parse the command line and print the table."""
    parser = argparse.ArgumentParser(description="Training runs side by side.")
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN-DIR")
    try:
        print_table(parser.parse_args().runs)
    except CnnzipError as error:
        sys.exit(f"cnnzip.train.runs: {error}")


if __name__ == "__main__":
    main()
