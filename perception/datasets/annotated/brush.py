# SPDX-License-Identifier: Apache-2.0
"""Label Studio's run lengths of a brush: those of the package rle-pack of thi.ng/umbrella, of an RGBA image.

A stream of bits: 32 for the number of values, 5 for their bits less one, 4 × 4 for the bits of a length, less one. Then
blocks: whether it is a run; which of the four sizes its length has; the length less one; and the value of the run, or
every value if it is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from perception.datasets.annotated.masks import Mask, run_lengths

CHANNELS = 4
WORD = 8
SIZES = (3, 4, 8, 16)


def packed(mask: Mask) -> list[int]:
    """The bytes of a (H, W) mask."""
    head = f"{mask.size * CHANNELS:032b}{WORD - 1:05b}" + "".join(f"{size - 1:04b}" for size in SIZES)
    runs = enumerate(run_lengths(mask.ravel()))
    bits = head + "".join(block for turn, length in runs for block in _run(length * CHANNELS, turn % 2 * 255))
    return list(int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big"))


def unpacked(data: Sequence[int], height: int, width: int) -> Mask:
    """The (height, width) mask: where the image is not transparent. Raises ValueError for another's bytes."""
    bits = "".join(f"{byte:08b}" for byte in bytes(data))
    count, word = int(bits[:32] or "0", 2), int(bits[32:37] or "0", 2) + 1
    sizes = [int(bits[at : at + 4] or "0", 2) + 1 for at in range(37, 53, 4)]
    if count != height * width * CHANNELS or word != WORD:
        raise ValueError(f"a brush of {count} values of {word} bits, expected {height * width * CHANNELS} of {WORD}")
    values, at, done = np.zeros(count, np.uint8), 53, 0
    while done < count:
        size = sizes[int(bits[at + 1 : at + 3] or "0", 2)]
        length = int(bits[at + 3 : at + 3 + size] or "0", 2) + 1
        run, at = bits[at : at + 1] == "1", at + 3 + size
        words = [bits[place : place + WORD] for place in range(at, at + WORD * (1 if run else length), WORD)]
        if len(words[-1]) < WORD or done + length > count:
            raise ValueError("a brush whose bytes are truncated")
        values[done : done + length] = [int(each, 2) for each in words]
        at, done = at + WORD * len(words), done + length
    return np.asarray(values.reshape(height, width, CHANNELS)[:, :, 3] > 0)


def _run(length: int, value: int) -> Iterator[str]:
    """The blocks of so many equal values."""
    while length:
        part = min(length, 1 << SIZES[-1])
        which = next(number for number, size in enumerate(SIZES) if part <= 1 << size)
        yield f"1{which:02b}{part - 1:0{SIZES[which]}b}{value:0{WORD}b}"
        length -= part
