"""`cnnzip verify`."""

from cnnzip.cli import options
from cnnzip.cli.batch import carry_out
from cnnzip.cli.batch_options import BatchOptions, takes_batch_options


@takes_batch_options(writes=False)
def verify(
    files: options.SomeFiles = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    limit_pixels: options.LimitPixels = options.DEFAULT_LIMIT,
    *,
    batch: BatchOptions,
) -> None:
    """Check that .cnz files are sound.

    Verifies every checksum, and decodes everything but the pixels.
    """
    from cnnzip.batch.jobs.verify import VerifyJob

    carry_out(VerifyJob(limit_pixels), files, batch, as_json=as_json, quiet=quiet)
