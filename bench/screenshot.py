"""Take the pictures of the page anew: `python bench/screenshot.py URL [FOLDER]` against a running demo.

It writes live-light.png, live-dark.png and live-phone.png, each under 200 kB, and needs Chromium.
"""

from __future__ import annotations

import argparse
import base64
import struct
import sys
import time
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.append(str(Path(__file__).resolve().parents[1]))
from bench.browser import Browser, browser, chromium

SHOTS = {
    "live-light.png": (1440, 1080, False, 1.0),
    "live-dark.png": (1440, 1080, True, 1.0),
    "live-phone.png": (390, 1240, True, 2.0),
}
MOST_BYTES = 200_000
_TO_PIXELS = """
(async () => {
  const answer = await fetch("data:image/png;base64,PICTURE");
  const image = await createImageBitmap(await answer.blob());
  const canvas = new OffscreenCanvas(image.width, image.height);
  const pen = canvas.getContext("2d");
  pen.drawImage(image, 0, 0);
  const pixels = pen.getImageData(0, 0, image.width, image.height).data;
  let text = "";
  for (let i = 0; i < pixels.length; i += 9000) text += String.fromCharCode(...pixels.subarray(i, i + 9000));
  return [image.width, image.height, btoa(text)];
})()
"""


def take(url: str, folder: Path, wait_s: float = 2.0) -> list[Path]:
    """Take every picture of the page at `url` into `folder`; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    with browser() as tab:
        for name, (width, height, dark, scale) in SHOTS.items():
            tab.shape(width, height, dark=dark, scale=scale)
            tab.open("about:blank")
            tab.open(url)
            tab.wait_for("bimetal.drawn > 0", 30)
            time.sleep(wait_s)
            shot = tab.picture()
            tab.open("about:blank")
            packed = pack(pixels_of(tab, shot))
            if len(packed) > MOST_BYTES:
                print(f"{name} is {len(packed)} bytes, more than {MOST_BYTES}", file=sys.stderr)
            (folder / name).write_bytes(packed)
            written.append(folder / name)
        if tab.complaints:
            print("\n".join(tab.complaints), file=sys.stderr)
    return written


def pixels_of(tab: Browser, png: bytes) -> NDArray[np.uint8]:
    """Return the picture's pixels, (height, width, 3), decoded by the browser."""
    width, height, text = tab.run(_TO_PIXELS.replace("PICTURE", base64.b64encode(png).decode()))
    flat = np.frombuffer(base64.b64decode(text), np.uint8)
    return flat.reshape(height, width, 4)[:, :, :3]


def pack(pixels: NDArray[np.uint8]) -> bytes:
    """Return a PNG of at most 256 colours: the most frequent ones, the others as the nearest of them."""
    height, width, _ = pixels.shape
    code = pixels.astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
    colours, number, count = np.unique(code, return_inverse=True, return_counts=True)
    rgb = np.stack([colours >> 16, colours >> 8 & 255, colours & 255], axis=1).astype(np.int32)
    kept = palette(rgb, count)
    nearest = np.array([np.argmin(((rgb[kept] - one) ** 2).sum(axis=1)) for one in rgb], np.uint8)
    rows = nearest[number].reshape(height, width)
    raw = np.concatenate([np.zeros((height, 1), np.uint8), rows], axis=1).tobytes()
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = [
        (b"IHDR", head),
        (b"PLTE", rgb[kept].astype(np.uint8).tobytes()),
        (b"IDAT", zlib.compress(raw, 9)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, body) for kind, body in parts)


def palette(rgb: NDArray[np.int32], count: NDArray[np.int64]) -> NDArray[np.intp]:
    """Choose up to 256 colours: by how often they come, and how far they are from those chosen before."""
    weight = np.sqrt(count.astype(float))
    chosen = [int(np.argmax(count))]
    away = ((rgb - rgb[chosen[0]]) ** 2).sum(axis=1).astype(float)
    while len(chosen) < min(256, len(rgb)):
        best = int(np.argmax(away * weight))
        chosen.append(best)
        away = np.minimum(away, ((rgb - rgb[best]) ** 2).sum(axis=1))
    return np.array(chosen, np.intp)


def chunk(kind: bytes, body: bytes) -> bytes:
    """Return one part of a PNG: its length, kind, body and checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def main() -> int:
    """Take the pictures and say where they are."""
    asked = argparse.ArgumentParser(description="Take the pictures of the page anew, from a running demo.")
    asked.add_argument("url", help="where the page is, as bimetal demo prints it")
    asked.add_argument("folder", nargs="?", type=Path, default=Path("docs/pictures"))
    chosen = asked.parse_args()
    if chromium() is None:
        print("There is no Chromium here. Install chromium, then try again.", file=sys.stderr)
        return 1
    for path in take(chosen.url, chosen.folder):
        print(f"{path}  {path.stat().st_size // 1000} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
