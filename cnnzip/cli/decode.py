"""`cnnzip decode`."""

from cnnzip.cli import options
from cnnzip.cli.batch import carry_out
from cnnzip.cli.batch_options import BatchOptions, takes_batch_options


@takes_batch_options(writes=True)
def decode(
    files: options.SomeFiles = None,
    output: options.Output = None,
    file_format: options.FileFormat = None,
    force: options.Force = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    runtime: options.Runtime = "onnx",
    threads: options.Threads = 0,
    limit_pixels: options.LimitPixels = options.DEFAULT_LIMIT,
    *,
    batch: BatchOptions,
) -> None:
    """Decompress: photo.cnz becomes photo.png beside it.

    The suffix of -o, or --format, chooses another format.
    """
    from cnnzip.batch.jobs.decode import DecodeJob

    chosen, suffix = options.output_format(output, file_format)
    job = DecodeJob(chosen, suffix, runtime, limit_pixels)
    carry_out(job, files, batch, output=output, force=force, as_json=as_json, quiet=quiet, threads=threads)
