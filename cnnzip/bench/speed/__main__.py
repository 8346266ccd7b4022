"""How quick cnnzip is, side by side with other codecs, and how its time and memory grow with the picture.

    python -m cnnzip.bench.speed OUT [--data ../shared/data] [--model NAME] [--threads 2] [--largest MP]
        [--resume] [--json]

Against `cjxl -e 7`, `avifenc -s 6`, `cwebp -m 6`, `cjpeg` and their decoders, on six pictures of Kodak, three of 2 and
two of 12 megapixels. Warm: pixels in memory to bytes in memory and back, in one process (Pillow's libraries). Cold:
whole command lines, from file to file, on the first of each. Then cnnzip alone on 2, 12, 50 and 100 megapixels, and a
crop out of the largest. The pictures, but those of Kodak, are made once, in OUT (`pictures.py` says how).

One rule chooses every quality: the whole number at which the PSNR of the first picture is nearest to 34 dB, for each
library and for each program. Whatever is measured is in OUT/speed.json at once.
"""

import argparse
import json
import os
import sys
from pathlib import Path

from cnnzip.errors import CnnzipError

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main(words: list[str] | None = None) -> None:
    """Parse the command line, measure and print the tables."""
    description, _, more = (__doc__ or "").split("\n\n", 2)
    parser = argparse.ArgumentParser(
        prog="python -m cnnzip.bench.speed",
        description=description,
        epilog=more,
        usage="%(prog)s OUT [options]",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("out", type=Path, metavar="OUT", help="folder for pictures and results")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="has kodak/ and train/clic-*")
    parser.add_argument("--model", help="by default the one that encode takes")
    parser.add_argument("--threads", type=int, default=2, help="that every codec may use; by default 2")
    parser.add_argument("--largest", type=int, default=100, metavar="MP", help="leave out what is larger; at least 2")
    parser.add_argument("--resume", action="store_true", help="go on with an interrupted run into OUT")
    parser.add_argument("--json", action="store_true", help="print JSON: OUT/speed.json and the bars")
    options = parser.parse_args(words)
    if options.threads < 1 or options.largest < 2:
        parser.error("--threads is at least 1, and --largest at least 2")
    # Before numpy is loaded, whose matrix products would use all cores; the programs that are started inherit it.
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(options.threads)))
    from rich.console import Console

    from cnnzip.bench.speed.bars import bars
    from cnnzip.bench.speed.run import Request, carry_out
    from cnnzip.bench.speed.table import tables

    request = Request(options.out, options.data, options.model, options.threads, options.largest, options.resume)
    try:
        with Console(stderr=True).status("") as status:
            run = carry_out(request, lambda line: status.update(line))
    except CnnzipError as error:
        sys.exit(f"cnnzip.bench.speed: {error}")
    if options.json:
        print(json.dumps({**json.loads(run.to_json()), "bars": [vars(bar) for bar in bars(run)]}))
    else:
        console = Console()
        where = f"{run.machine['processor']}, {run.machine['cores']} cores; {run.ours}, threads: {run.threads}"
        console.print(where, markup=False, highlight=False)
        for table in tables(run):
            console.print(table)
    for what, reason in run.skipped.items():
        print(f"cnnzip.bench.speed: {what}: {reason}", file=sys.stderr)


if __name__ == "__main__":
    main()
