"""`cnnzip models`."""

import json

import typer

from cnnzip.cli import options


def models(as_json: options.Json = False) -> None:
    """List the installed models, denoisers among them, and where each was found."""
    from cnnzip.codec.models import DEFAULT_MODEL, installed, search_path
    from cnnzip.denoise.model import DEFAULT_DENOISER
    from cnnzip.errors import BadModelError

    damaged = 0
    seen: set[str] = set()
    for folder, description in installed():
        if isinstance(description, BadModelError):
            damaged += 1
            typer.echo(f"cnnzip: {description}", err=True)
            continue
        # A name found twice: the first on the search path is the one that encode or denoise takes.
        shadowed, default = folder.name in seen, folder.name in (DEFAULT_MODEL, DEFAULT_DENOISER)
        seen.add(folder.name)
        size = sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
        if as_json:
            fields = {"name": folder.name, "id": description.id.hex(), "family": description.family}
            place = {"folder": str(folder), "bytes": size, "default": default, "shadowed": shadowed}
            typer.echo(json.dumps({**fields, **place}))
        else:
            marks = " (default)" * default + " (shadowed)" * shadowed
            columns = f"{folder.name:<12} {description.id.hex()}  {description.family:<10} {size / 1e6:5.1f} MB"
            typer.echo(f"{columns}  {folder}{marks}")
    if not (seen or damaged or as_json):
        typer.echo(f"no model is installed; looked in: {', '.join(map(str, search_path()))}", err=True)
    if damaged:
        raise typer.Exit(1)
