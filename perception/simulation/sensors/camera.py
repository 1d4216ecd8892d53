# SPDX-License-Identifier: Apache-2.0
"""The cameras' shared view of the scene: one ray per pixel, what it met, and the light that comes back along it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.classes import BACKGROUND
from perception.frame import CameraModel
from perception.simulation.annotate import fill_bicycles, number_things
from perception.simulation.optics.light import Lighting
from perception.simulation.optics.raycast import Hits, Tracer
from perception.simulation.optics.sky import sky
from perception.simulation.optics.vectors import Floats, dot, moved, rotated, rows_of
from perception.simulation.optics.weather import Weather
from perception.simulation.street.surface import MaterialTable, Surface, look_up
from perception.simulation.things import textures

EDGE_SAMPLES = ((0.4, 0.3),)
"""Further rays, in pixels off the centre, where neighbouring pixels see different things."""


@dataclass
class View:
    """What every pixel's centre ray met.

    depth: (H, W) float32 metres along the optical axis, inf for the sky. labels: (H, W) uint8 class ids, exact;
    bicycles as annotators draw them (see `annotate`). instances: (H, W) uint16, as `Sample.instances`.
    direction: (H·W, 3) unit vectors in the world. hits, surface: the rays that met something, row by row.
    footprint: metres that a pixel spans, per hit. sunlight, open_sky: per hit (see `Lighting`).
    """

    depth: Floats
    labels: NDArray[np.uint8]
    instances: NDArray[np.uint16]
    direction: Floats
    hits: Hits
    surface: Surface
    sunlight: Floats
    open_sky: Floats


class Camera:
    """A pinhole camera that looks at a traced scene."""

    def __init__(self, model: CameraModel, table: MaterialTable) -> None:
        self.model = model
        self._table = table
        columns, rows = np.meshgrid(np.arange(model.width), np.arange(model.height))
        self._pixels = np.stack([columns.ravel(), rows.ravel()], 1).astype(np.float32)
        self._centres = self._optical(self._pixels)
        self._lengths = np.sqrt(dot(self._centres, self._centres))

    def look(self, tracer: Tracer, lighting: Lighting, pose: NDArray[np.float64]) -> View:
        """Casts the centre rays from `pose` (4, 4), optical frame → world."""
        shape = (self.model.height, self.model.width)
        rays, length = self._rays(self._centres, pose)
        hits = tracer.cast(rays)
        surface = look_up(hits, self._table, self._footprint(hits, rays, length))
        depth = np.full(len(rays), np.inf, np.float32)
        depth[hits.ray] = hits.distance
        labels = np.full(len(rays), BACKGROUND, np.uint8)
        labels[hits.ray] = self._table.class_id[hits.material]
        bicycle = np.zeros(len(rays), bool)
        bicycle[hits.ray] = self._table.bicycle[hits.material]
        things = np.zeros(len(rays), np.int64)
        things[hits.ray] = hits.thing
        focal, met = float(self.model.intrinsics[0, 0]), labels.copy()
        fill_bicycles(labels.reshape(shape), depth.reshape(shape), bicycle.reshape(shape), focal)
        things[labels != met] = 0
        return View(
            depth=depth.reshape(shape),
            labels=labels.reshape(shape),
            instances=number_things(labels.reshape(shape), things.reshape(shape), bicycle.reshape(shape)),
            direction=rays[:, 3:] / length[:, None],
            hits=hits,
            surface=surface,
            sunlight=lighting.sunlight(hits, surface),
            open_sky=self._open_sky(lighting, hits),
        )

    def expose(self, view: View, tracer: Tracer, lighting: Lighting, pose: NDArray[np.float64]) -> Floats:
        """(H, W, 3) linear RGB radiance, with the edges of things smoothed."""
        weather = lighting.weather
        hits, height, width = view.hits, self.model.height, self.model.width
        picture = np.empty((height * width, 3), np.float32)
        picture[hits.missed] = sky(view.direction[hits.missed], weather)
        picture[hits.ray] = lighting.radiance(
            hits, view.surface, rows_of(view.direction, hits.ray), view.sunlight, view.open_sky
        )
        self._smooth_edges(picture, view, tracer, lighting, pose)
        distance = view.depth.ravel() * self._lengths
        add_haze(picture, distance, weather)
        return picture.reshape(height, width, 3)

    def expose_beside(
        self,
        view: View,
        picture: Floats,
        tracer: Tracer,
        lighting: Lighting,
        pose: NDArray[np.float64],
        beside: NDArray[np.float64],
    ) -> tuple[Floats, NDArray[np.bool_]]:
        """What the same camera, moved from `pose` to `beside`, both (4, 4), exposes; and where that is not the sky.

        view, picture: from `pose`. The light of a matt spot that both places see is taken from `picture`: pixels gather
        it over their area, which new rays, one to a pixel, would not, and no two pictures would be alike on fine grain.
        Whatever shines, and what `pose` does not see, is looked at anew.
        """
        height, width = self.model.height, self.model.width
        rays, length = self._rays(self._centres, beside)
        hits = tracer.cast(rays)
        distance = np.full(len(rays), np.inf, np.float32)
        distance[hits.ray] = hits.distance * length[hits.ray]
        direction = rays[:, 3:] / length[:, None]
        result = np.empty((height * width, 3), np.float32)
        result[hits.missed] = sky(direction[hits.missed], lighting.weather)
        x, y, depth = self._pixels_of(hits.position, pose)
        seen = _matt_and_whole(view, x, y, depth, wet=lighting.weather.wetness > 0)
        anew = hits.of(np.flatnonzero(~seen))
        surface = look_up(anew, self._table, self._footprint(anew, rays, length))
        open_sky = np.ones(height * width, np.float32)
        open_sky[view.hits.ray] = view.open_sky
        nearest = np.rint(np.clip(y[~seen], 0, height - 1)) * width + np.rint(np.clip(x[~seen], 0, width - 1))
        result[anew.ray] = lighting.radiance(
            anew,
            surface,
            rows_of(direction, anew.ray),
            lighting.sunlight(anew, surface),
            open_sky[nearest.astype(np.int64)],
        )
        add_haze(result, distance, lighting.weather)
        result[hits.ray[seen]] = _between(picture, x[seen], y[seen])
        return result.reshape(height, width, 3), np.isfinite(distance).reshape(height, width)

    def _pixels_of(self, position: Floats, pose: NDArray[np.float64]) -> tuple[Floats, Floats, Floats]:
        """(N,) columns, rows and depths at which the camera at `pose` sees the world's `position`s (N, 3)."""
        local = moved(position, np.linalg.inv(pose))
        depth = np.maximum(local[:, 2], np.float32(1e-3))
        fx, fy, cx, cy = (np.float32(self.model.intrinsics[i]) for i in ((0, 0), (1, 1), (0, 2), (1, 2)))
        return local[:, 0] / depth * fx + cx, local[:, 1] / depth * fy + cy, depth

    def _optical(self, pixels: Floats) -> Floats:
        matrix = self.model.intrinsics
        x = (pixels[:, 0] - matrix[0, 2]) / matrix[0, 0]
        y = (pixels[:, 1] - matrix[1, 2]) / matrix[1, 1]
        return np.stack([x, y, np.ones_like(x)], 1).astype(np.float32)

    def _rays(self, optical: Floats, pose: NDArray[np.float64]) -> tuple[Floats, Floats]:
        """(N, 6) rays along `optical` directions, whose distances are depths, and the directions' (N,) lengths."""
        rays = np.empty((len(optical), 6), np.float32)
        rays[:, :3] = pose[:3, 3]
        rays[:, 3:] = rotated(optical, pose)
        return rays, np.sqrt(dot(optical, optical))

    def _footprint(self, hits: Hits, rays: Floats, length: Floats) -> Floats:
        cosine = np.abs(dot(hits.normal, rows_of(rays, hits.ray)[:, 3:])) / length[hits.ray]
        # Between the across and the along size of the ellipse that a pixel covers on a slanted surface.
        return hits.distance / np.float32(self.model.intrinsics[0, 0]) / np.sqrt(np.maximum(cosine, 0.02))

    def _open_sky(self, lighting: Lighting, hits: Hits) -> Floats:
        """(H,) share of the sky that each surface sees: one ray from every other pixel, shared with the neighbours."""
        height, width = self.model.height, self.model.width
        x, y = rows_of(self._pixels, hits.ray).astype(np.int64).T
        asked = np.flatnonzero((x + y) % 2 == 0)
        pixel = y[asked] * width + x[asked]
        reached, counted = np.zeros((2, height, width), np.float32)
        # Any 4×4 window holds each of the 8 directions once.
        reached.ravel()[pixel] = lighting.open_sky(hits, asked, (y[asked] % 4) * 2 + (x[asked] % 4) // 2)
        counted.ravel()[pixel] = 1.0
        share = cv2.blur(reached, (4, 4)) / np.maximum(cv2.blur(counted, (4, 4)), 1e-3)
        return np.asarray(share, np.float32).reshape(-1)[hits.ray]

    def _smooth_edges(
        self, picture: Floats, view: View, tracer: Tracer, lighting: Lighting, pose: NDArray[np.float64]
    ) -> None:
        edge = np.flatnonzero(self._edges(view))
        pixel = np.tile(edge, len(EDGE_SAMPLES))
        offset = np.repeat(np.array(EDGE_SAMPLES, np.float32), len(edge), axis=0)
        rays, length = self._rays(self._optical(self._pixels[pixel] + offset), pose)
        hits = tracer.cast(rays)
        surface = look_up(hits, self._table, self._footprint(hits, rays, length))
        direction = rays[:, 3:] / length[:, None]
        seen_along = rows_of(direction, hits.ray)
        open_sky = np.ones(len(picture), np.float32)
        open_sky[view.hits.ray] = view.open_sky
        sunlight = lighting.sunlight(hits, surface)
        colour = np.empty((len(pixel), 3), np.float32)
        colour[hits.missed] = sky(direction[hits.missed], lighting.weather)
        colour[hits.ray] = lighting.radiance(hits, surface, seen_along, sunlight, open_sky[pixel[hits.ray]])
        # What is far brighter than the rest must not win alone, or edges against the sky look chipped.
        samples = np.minimum(colour, 4.0).reshape(len(EDGE_SAMPLES), len(edge), 3)
        picture[edge] = (picture[edge] + samples.sum(axis=0)) / (1 + len(EDGE_SAMPLES))

    def _edges(self, view: View) -> NDArray[np.bool_]:
        """(H, W) where neighbours see different things. One leaf before another is no edge: they are too many."""
        height, width = self.model.height, self.model.width
        hits, leaves = view.hits, view.surface.texture == textures.LEAVES
        things, nearness = np.zeros(height * width, np.int64), np.zeros(height * width, np.float32)
        things[hits.ray] = np.where(leaves, 1, 2 + hits.material + 1024 * hits.instance)
        nearness[hits.ray] = np.where(leaves, 0.0, 1.0 / hits.distance)
        thing, near = things.reshape(height, width), nearness.reshape(height, width)
        edge = np.zeros((height, width), bool)
        across = (thing[:, 1:] != thing[:, :-1]) | (np.abs(near[:, 1:] - near[:, :-1]) > 0.1 * near[:, 1:])
        down = (thing[1:] != thing[:-1]) | (np.abs(near[1:] - near[:-1]) > 0.1 * near[1:] + 0.004)
        edge[:, 1:] |= across
        edge[:, :-1] |= across
        edge[1:] |= down
        edge[:-1] |= down
        return edge


def _matt_and_whole(view: View, x: Floats, y: Floats, depth: Floats, wet: bool) -> NDArray[np.bool_]:
    """(N,) whether the four pixels of `view` about each place (x, y) show one matt surface at that `depth` (N,).

    wet: the ground shines too.
    """
    height, width = view.depth.shape
    shiny = np.zeros(height * width, np.uint8)
    shiny[view.hits.ray] = (view.surface.specular > 0.06) | (wet & (view.hits.normal[:, 2] > 0.8))
    window = np.ones((2, 2), np.uint8)
    near, far = (how(view.depth, window, anchor=(0, 0)) for how in (cv2.erode, cv2.dilate))
    shiny = cv2.dilate(shiny.reshape(height, width), window, anchor=(0, 0))
    inside = (x >= 0) & (x < width - 1) & (y >= 0) & (y < height - 1)
    column, row = (np.where(inside, place, 0).astype(np.int64) for place in (x, y))
    near, far = near[row, column], far[row, column]
    same = (near < 1.01 * depth) & (far > 0.99 * depth) & (far < 1.15 * near)
    return np.asarray(inside & same & (shiny[row, column] == 0))


def _between(picture: Floats, x: Floats, y: Floats) -> Floats:
    """(N, 3) the colours of `picture` (H, W, 3) at the places (x, y), between its pixels."""
    column, row = x.astype(np.int64), y.astype(np.int64)
    right, down = (x - column)[:, None], (y - row)[:, None]
    upper = picture[row, column] * (1 - right) + picture[row, column + 1] * right
    lower = picture[row + 1, column] * (1 - right) + picture[row + 1, column + 1] * right
    return np.asarray(upper * (1 - down) + lower * down, np.float32)


def add_haze(picture: Floats, distance: Floats, weather: Weather) -> None:
    """Dims `picture` (N, 3) by what the air over `distance` (N,) takes away, and adds what it scatters."""
    sky_distance = 3.0 / weather.extinction if weather.condition == "fog" else 0.0
    path = np.where(np.isfinite(distance), distance, sky_distance)
    clear = np.exp(-np.float32(weather.extinction) * path)[:, None]
    picture *= clear
    picture += (1.0 - clear) * weather.fog
