# SPDX-License-Identifier: Apache-2.0
"""Skips, builders' containers, bottle banks and bins; frames and units as in `yards`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from perception.simulation.scene import Mesh, merge, transformed
from perception.simulation.street.yards import mound, paint, turned
from perception.simulation.things import furniture
from perception.simulation.things.materials import index
from perception.simulation.things.shapes import box, boxes, loft, pose, recoloured


def skip(rng: np.random.Generator) -> Mesh:
    """A skip with sloping ends, filled with rubble, earth or branches."""
    half, aside, height = rng.uniform(1.4, 2.3), rng.uniform(0.75, 0.95), rng.uniform(1.15, 1.7)
    foot, colour = half - rng.uniform(0.3, 0.7), paint(rng)
    outline = [
        (foot, aside - 0.1, -0.05), (half, aside, height), (half + 0.07, aside + 0.06, height),
        (half + 0.07, aside + 0.06, height + 0.08), (half - 0.08, aside - 0.08, height + 0.08),
        (half - 0.3, aside - 0.1, height - 0.4),
    ]  # fmt: skip
    rings = [[[-x, -y, z], [x, -y, z], [x, y, z], [-x, y, z]] for x, y, z in outline]
    ribs = [[x, side * (aside - 0.02), height / 2] for x in np.linspace(-0.8, 0.8, 4) * foot for side in (-1, 1)]
    filling = str(rng.choice(["gravel", "dirt", "leaves_3", "boards_grey", "concrete"]))
    load = mound(rng, (half - 0.15, aside - 0.1, rng.uniform(0.25, 0.7)), index(filling), 0.25)
    parts = [loft(rings, colour, caps=index(filling)), boxes([[0.08, 0.1, height]], ribs, colour)]
    return merge([*parts, transformed(load, pose(0.0, 0.0, height - 0.3))])


def site_container(rng: np.random.Generator) -> Mesh:
    """A corrugated container, some with a window and a door as builders use them."""
    length, width, height = rng.uniform(2.4, 6.0), rng.uniform(1.8, 2.44), rng.uniform(2.0, 2.6)
    colour = paint(rng)
    x = np.arange(-length / 2 + 0.2, length / 2 - 0.1, 0.3)
    ribs = [[a, side * width / 2, height / 2] for a in x for side in (-1, 1)]
    parts = [box((length, width, height), (0.0, 0.0, height / 2), colour)]
    parts.append(boxes([[0.14, 0.08, height - 0.3]], ribs, colour))
    if rng.random() < 0.5:
        parts.append(box((0.9, 0.06, 0.8), (-length / 4, -width / 2 - 0.03, 1.5), index("window")))
        parts.append(box((0.85, 0.06, 1.9), (length / 4, -width / 2 - 0.03, 1.0), paint(rng)))
    return merge(parts)


def waste_containers(rng: np.random.Generator) -> Mesh:
    """One to three wheeled containers of 1,100 litres with round lids."""
    body, lid = paint(rng), paint(rng)
    outline = [(0.56, 0.40, 0.12), (0.66, 0.50, 1.0), (0.69, 0.53, 1.0), (0.69, 0.53, 1.06)]
    rings = [[[-x, -y, z], [x, -y, z], [x, y, z], [-x, y, z]] for x, y, z in outline]
    angle = np.linspace(0.0, np.pi, 8)
    arch = np.column_stack([0.53 * np.cos(angle), 1.05 + 0.3 * np.sin(angle)])
    cover = loft([np.column_stack([np.full(8, x), arch]) for x in (-0.69, 0.69)], lid, caps=lid)
    wheels = boxes([[0.16, 0.06, 0.2]], [[x, y, 0.08] for x in (-0.5, 0.5) for y in (-0.36, 0.36)], index("bin"))
    one = merge([loft(rings, body, caps=body), cover, wheels])
    return in_a_row([one] * int(rng.integers(1, 4)), 1.5)


def bottle_banks(rng: np.random.Generator) -> Mesh:
    """One to three igloos for used glass."""
    size = rng.uniform(0.9, 1.1)
    outline = [(0.62, -0.1), (0.7, 0.3), (0.72, 0.9), (0.62, 1.3), (0.4, 1.62), (0.15, 1.75), (0.02, 1.76)]
    profile = [(size * r, size * z) for r, z in outline]
    colours = [[paint(rng)] * 6 for _ in range(rng.integers(1, 4))]
    return in_a_row([turned(profile, colour) for colour in colours], 1.65 * size)


def wheelie_bins(rng: np.random.Generator) -> Mesh:
    """Two to five household bins, as put out for the dustmen."""
    row = []
    for _ in range(rng.integers(2, 6)):
        colours = {
            index("bin"): index(str(rng.choice(["bin", "yard_grey", "yard_dark"]))),
            index("bin_lid"): paint(rng),
        }
        turn = -np.pi / 2 + float(rng.normal(0.0, 0.12))
        row.append(transformed(recoloured(furniture.wheelie_bin(), colours), pose(0.0, 0.0, 0.0, turn)))
    return in_a_row(row, 0.7)


def in_a_row(meshes: Sequence[Mesh], pitch: float) -> Mesh:
    """Meshes side by side along x."""
    return merge([transformed(m, pose((i - (len(meshes) - 1) / 2) * pitch, 0.0)) for i, m in enumerate(meshes)])
