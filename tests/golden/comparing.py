"""How far two pictures are apart, and a picture of it for people."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from render_farm.encode.png import encode

RGB = NDArray[np.uint8]
AMPLIFIED = 10


@dataclass(frozen=True)
class Difference:
    """In steps of 0..255 of one colour; infinite for pictures of different size.

    largest  of the means over 3x3 pixels: a lone pixel may fall into the next class on another
             processor, a letter or a line that moved takes more than one
    """

    largest: float
    mean: float


def difference(result: RGB, expected: RGB) -> Difference:
    if result.shape != expected.shape:
        return Difference(np.inf, np.inf)
    steps = np.abs(result.astype(np.float32) - expected)
    return Difference(float(cv2.blur(steps, (3, 3)).max()), float(steps.mean()))


def side_by_side(result: RGB, expected: RGB) -> RGB:
    """Result, expected, and their difference ten times amplified, from left to right."""
    height, width = (max(a, b) for a, b in zip(result.shape[:2], expected.shape[:2], strict=True))
    sheet = np.full((height, 3 * width, 3), 255, np.uint8)
    sheet[: result.shape[0], : result.shape[1]] = result
    sheet[: expected.shape[0], width : width + expected.shape[1]] = expected
    rows, columns = (min(a, b) for a, b in zip(result.shape[:2], expected.shape[:2], strict=True))
    steps = np.abs(result[:rows, :columns].astype(np.int16) - expected[:rows, :columns])
    amplified = np.minimum(steps * AMPLIFIED, 255).astype(np.uint8)
    sheet[:rows, 2 * width : 2 * width + columns] = 255 - amplified
    return sheet


def read(path) -> RGB | None:
    if not path.exists():
        return None
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR_RGB), np.uint8)


def write(path, image: RGB) -> None:
    """As a palette PNG where the colours are few enough, a quarter of the size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    colours, indices = np.unique(image.reshape(-1, 3), axis=0, return_inverse=True)
    if len(colours) > 256:
        cv2.imwrite(str(path), image[..., ::-1])
        return
    path.write_bytes(encode(indices.reshape(image.shape[:2]).astype(np.uint8), colours))
