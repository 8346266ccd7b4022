"""Printed pages as a scanner sees them: the pictures of the example of fine-tuning in docs/training.md.

python docs/pages.py OUT COUNT SEED

The text is Python's own standard library; size of type, shade of paper, tilt and blur differ from page to page.
"""

import random
import sys
import sysconfig
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

WIDTH, HEIGHT, MARGIN = 768, 1024, 60


def page(lines: list[str], seed: int) -> Image.Image:
    """One page of as many of the lines as find room."""
    chance = random.Random(seed)
    size = chance.choice((14, 16, 20, 24))
    ink, paper = chance.randint(10, 70), [chance.randint(225, 250) + tint for tint in (3, 0, -6)]
    font = ImageFont.load_default(size)
    image = Image.new("RGB", (WIDTH, HEIGHT), tuple(paper))
    draw = ImageDraw.Draw(image)
    for number, top in enumerate(range(MARGIN, HEIGHT - MARGIN, round(1.3 * size))):
        draw.text((MARGIN, top), lines[number % len(lines)], fill=(ink, ink, ink), font=font)
    image = image.rotate(chance.uniform(-1, 1), Image.Resampling.BICUBIC, fillcolor=tuple(paper))
    image = image.filter(ImageFilter.GaussianBlur(chance.uniform(0.5, 0.9)))
    noise = np.random.default_rng(seed).normal(0, 1.5, (HEIGHT, WIDTH, 1))
    return Image.fromarray(np.clip(np.asarray(image) + noise, 0, 255).round().astype(np.uint8))


def main() -> None:
    """Write the pages."""
    folder, count, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    sources = sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))
    for number in range(count):
        chance = random.Random(f"{seed} {number}")
        lines = chance.choice(sources).read_text(encoding="utf-8", errors="replace").splitlines()
        start = chance.randrange(max(1, len(lines) - 60))
        text = [line[:110] for line in lines[start : start + 60] if line.strip()] or ["…"]
        page(text, 1000 * seed + number).save(folder / f"page-{number:03}.png")


if __name__ == "__main__":
    main()
