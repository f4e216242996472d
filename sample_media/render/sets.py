"""The school's rooms: simple geometry, painted textures and soft light."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mitsuba as mi
import numpy as np
from people import Array, Part, normals, tube
from PIL import Image, ImageDraw, ImageFilter
from renderer import Stage
from scipy.ndimage import gaussian_filter

Colour = tuple[float, float, float]


def _linear(image: Image.Image) -> Array:
    return (np.asarray(image.convert("RGB")) / 255.0) ** 2.2


def quad(
    name: str, corner: Colour, across: Colour, up: Colour, colour: Colour = (0.5, 0.5, 0.5),
    texture: Array | None = None, material: str = "matt",
) -> Part:  # fmt: skip
    """A flat rectangle from its lower left corner and two edges."""
    o, a, u = (np.array(v, float) for v in (corner, across, up))
    points = np.array([o, o + a, o + a + u, o + u])
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1.0]])
    paint = None if texture is not None else np.array([colour])
    return Part(name, points, faces, normals(points, faces), uv, paint, texture, material)


def box(name: str, low: Colour, high: Colour, colour: Colour, material: str = "matt") -> Part:
    """An axis-aligned box."""
    a, b = np.array(low, float), np.array(high, float)
    points, faces = [], []
    for axis in range(3):
        for end in (a, b):
            u, v = (axis + 1) % 3, (axis + 2) % 3
            for s, t in ((0, 0), (1, 0), (1, 1), (0, 1)):
                point = a.copy()
                point[axis] = end[axis]
                point[u], point[v] = (a[u], b[u])[s], (a[v], b[v])[t]
                points.append(point)
            k = len(points) - 4
            faces += [[k, k + 1, k + 2], [k, k + 2, k + 3]]
    mesh, tri = np.array(points), np.array(faces)
    return Part(name, mesh, tri, normals(mesh, tri), None, np.array([colour]), None, material)


def ball(name: str, centre: Colour, radius: float, colour: Colour, seed: int, rough: float) -> Part:
    """A bumpy ball, such as a tree's crown."""
    rng = np.random.default_rng(seed)
    t, p = np.meshgrid(np.linspace(0, np.pi, 48), np.linspace(0, 2 * np.pi, 96), indexing="ij")
    unit = np.stack([np.sin(t) * np.cos(p), np.sin(t) * np.sin(p), np.cos(t)], axis=-1)
    bumps = np.zeros(t.shape)
    for _ in range(60):
        way = rng.normal(size=3)
        way /= np.linalg.norm(way)
        bumps += np.exp(-18 * (1 - unit @ way)) * rng.uniform(0.3, 1)
    size = radius * (1 + rough * (bumps - 1))[..., None]
    points = (np.array(centre) + size * unit).reshape(-1, 3)
    i = np.arange(47)[:, None] * 96
    j = np.arange(95)[None]
    a = (i + j).ravel()
    faces = np.concatenate([np.stack([a, a + 96, a + 97], 1), np.stack([a, a + 97, a + 1], 1)])
    shade = np.clip(0.75 + 0.5 * (bumps.ravel() - 0.6), 0.5, 1.35)[:, None]
    return Part(name, points, faces, normals(points, faces), None,
                np.clip(np.array(colour) * shade, 0, 1), None, "matt")  # fmt: skip


def noisy(colour: Colour, size: tuple[int, int], strength: float, grain: float, seed: int) -> Array:
    """A texture of one colour with soft noise."""
    rng = np.random.default_rng(seed)
    noise = gaussian_filter(rng.normal(size=size), grain)
    noise /= noise.std()
    return np.clip(np.array(colour) * (1 + strength * noise[..., None]), 0, 1)


def planks(colour: Colour, count: int, seed: int) -> Array:
    """A wooden floor."""
    rng = np.random.default_rng(seed)
    image = np.zeros((1024, 1024, 3))
    grain = gaussian_filter(rng.normal(size=(1024, 1024)), (30, 1.5))
    grain /= grain.std()
    width = 1024 // count
    for k in range(count + 1):
        tone = np.array(colour) * rng.uniform(0.82, 1.15)
        image[:, k * width : (k + 1) * width] = tone
        image[:, k * width : k * width + 2] *= 0.45
    return np.clip(image * (1 + 0.07 * grain[..., None]), 0, 1)


def area(centre: Colour, look_at: Colour, width: float, height: float, power: Colour) -> Any:
    """A soft rectangular lamp."""
    transform = mi.ScalarTransform4f()
    return {
        "type": "rectangle",
        "to_world": transform.look_at(list(centre), list(look_at), [0, 0, 1])
        @ mi.ScalarTransform4f().scale([width / 2, height / 2, 1]),
        "emitter": {"type": "area", "radiance": {"type": "rgb", "value": list(power)}},
    }  # fmt: skip


def ambient(value: Colour) -> dict[str, Any]:
    """Even light from everywhere."""
    return {"type": "constant", "radiance": {"type": "rgb", "value": list(value)}}


def sky(sun: Colour = (0.45, -0.85, 0.6), sun_power: float = 11.0) -> dict[str, Any]:
    """A blue sky with a few clouds and a soft sun, as an environment map."""
    height, width = 256, 512
    v, _ = np.mgrid[0:height, 0:width]
    elevation = np.pi / 2 - (v + 0.5) / height * np.pi
    rng = np.random.default_rng(5)
    cloud = gaussian_filter(rng.normal(size=(height, width)), (5, 16), mode="wrap")
    cloud = np.clip(cloud / cloud.std() - 0.4, 0, 1.2)[..., None] / 1.2
    t = np.clip(np.sin(elevation), 0, 1)[..., None] ** 0.5
    image = (1 - t) * np.array([0.78, 0.87, 0.97]) + t * np.array([0.20, 0.40, 0.82])
    image = image * (1 - 0.75 * cloud) + 0.75 * cloud * np.array([0.97, 0.97, 0.97])
    image[elevation < 0] = [0.25, 0.27, 0.2]
    bitmap = mi.Bitmap(np.ascontiguousarray(image, dtype=np.float32))
    way = np.array(sun) / np.linalg.norm(sun)
    turned = mi.ScalarTransform4f().rotate([1, 0, 0], 90)
    return {
        "sky": {"type": "envmap", "bitmap": bitmap, "to_world": turned, "scale": 0.95},
        "sun": area(tuple(way * 14), (0, 0, 1), 5.5, 5.5, (sun_power, sun_power * 0.94,
                                                          sun_power * 0.82)),
    }  # fmt: skip


# ------------------------------------------------------------------------------ the rooms


def _drawing(seed: int, size: tuple[int, int] = (220, 160)) -> Array:
    """A child's drawing: house, sun, tree or flowers on paper."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", size, (246, 243, 232))
    pen = ImageDraw.Draw(image)
    w, h = size

    def tint() -> tuple[int, int, int]:
        r, g, b = rng.integers(40, 235, 3)
        return int(r), int(g), int(b)

    pen.rectangle([0, int(h * 0.75), w, h], fill=(120, 178, 84))
    pen.ellipse([w - 54, 10, w - 18, 46], fill=(250, 205, 60))
    if seed % 3 == 0:
        pen.rectangle([60, 70, 130, 125], fill=tint(), outline=(60, 40, 40), width=3)
        pen.polygon([(52, 70), (95, 34), (138, 70)], fill=tint(), outline=(60, 40, 40))
        pen.rectangle([86, 95, 104, 125], fill=tint())
    elif seed % 3 == 1:
        for x in range(30, w - 20, 38):
            top = int(rng.integers(55, 95))
            pen.line([x, 128, x, top], fill=(50, 120, 50), width=4)
            pen.ellipse([x - 13, top - 13, x + 13, top + 13], fill=tint())
    else:
        pen.rectangle([70, 80, 84, 128], fill=(120, 80, 50))
        pen.ellipse([40, 28, 114, 96], fill=(70, 150, 70))
        pen.ellipse([150, 92, 190, 128], fill=tint())
    return _linear(image.filter(ImageFilter.GaussianBlur(0.6)))


def _board() -> Array:
    """A green chalkboard."""
    rng = np.random.default_rng(2)
    image = Image.new("RGB", (1024, 420), (38, 74, 62))
    pen = ImageDraw.Draw(image)
    chalk, yellow = (222, 228, 220), (240, 220, 140)
    for x, text in ((50, "3 x 4 = 12"), (50, "7 x 8 = 56")):
        pen.text((x, 40 if text[0] == "3" else 130), text, fill=chalk, font_size=64)
    pen.ellipse([800, 60, 930, 190], outline=yellow, width=6)
    for k in range(12):
        a = k * np.pi / 6
        pen.line([865 + 75 * np.cos(a), 125 + 75 * np.sin(a), 865 + 100 * np.cos(a),
                  125 + 100 * np.sin(a)], fill=yellow, width=5)  # fmt: skip
    pen.polygon([(500, 300), (560, 180), (620, 300)], outline=chalk, width=5)
    pen.rectangle([660, 210, 750, 300], outline=chalk, width=5)
    wipe = gaussian_filter(rng.normal(size=(420, 1024)), (6, 40))
    return np.clip(_linear(image) * (1 + 0.10 * (wipe / wipe.std())[..., None]), 0, 1)


def _room(wall: Colour, floor: Array, back: float = 2.6) -> list[Part]:
    return [
        quad("floor", (-6, -6, 0), (12, 0, 0), (0, 6 + back, 0), texture=floor, material="wood"),
        quad("wall", (-6, back, 0), (12, 0, 0), (0, 0, 4), texture=noisy(wall, (256, 512), 0.012,
                                                                       30, 1)),
        box("skirting", (-6, back - 0.03, 0), (6, back, 0.12), (0.75, 0.74, 0.70)),
        quad("left", (-5, -6, 0), (0, 6 + back, 0), (0, 0, 4), wall),
        quad("ceiling", (-6, -6, 3.3), (12, 0, 0), (0, 6 + back, 0), (0.85, 0.85, 0.83)),
    ]  # fmt: skip


def _books(x0: float, x1: float, y: float, z: float, seed: int) -> list[Part]:
    rng = np.random.default_rng(seed)
    palette = np.array(
        [
            [0.5, 0.08, 0.07],
            [0.08, 0.2, 0.4],
            [0.75, 0.5, 0.1],
            [0.1, 0.3, 0.16],
            [0.62, 0.58, 0.5],
            [0.3, 0.12, 0.3],
            [0.1, 0.35, 0.4],
            [0.7, 0.3, 0.12],
        ]
    )
    parts, x = [], x0 + 0.02
    while x < x1 - 0.06:
        if rng.random() < 0.07:
            x += rng.uniform(0.05, 0.2)
            continue
        width, height = rng.uniform(0.018, 0.05), rng.uniform(0.19, 0.29)
        tone = palette[rng.integers(len(palette))] * rng.uniform(0.7, 1.2)
        parts.append(box(f"book{x:.3f}{z}", (x, y, z), (x + width, y + 0.2, z + height),
                         tuple(np.clip(tone, 0, 1))))  # fmt: skip
        x += width + 0.002
    return parts


def shelf(x0: float, x1: float, y: float, levels: list[float], seed: int) -> list[Part]:
    """A bookcase full of books, seen from the front."""
    wood = (0.52, 0.36, 0.20)
    top = levels[-1] + 0.36
    parts = [box(f"side{x}", (x - 0.02, y, 0), (x + 0.02, y + 0.3, top), wood) for x in (x0, x1)]
    parts.append(box("rear", (x0, y + 0.29, 0), (x1, y + 0.3, top), (0.36, 0.24, 0.13)))
    for number, z in enumerate([*levels, top]):
        parts.append(box(f"board{x0}{number}", (x0, y, z - 0.025), (x1, y + 0.3, z), wood))
        if z != top:
            parts += _books(x0 + 0.03, x1 - 0.02, y + 0.03, z, seed + number)
    return parts


def _indoor_light(warm: float = 0.0) -> dict[str, Any]:
    cool, lamp = (0.50, 0.53, 0.56), (7.5 + warm, 7.3, 6.9 - warm)
    return {"ambient": ambient(cool),
            "window": area((3.6, -1.6, 2.3), (0, 0.2, 1.2), 2.2, 1.8, lamp),
            "lamp": area((-1.2, -3.0, 2.8), (0, 0.3, 1.0), 2.2, 1.4, (5.0, 4.8, 4.5))}  # fmt: skip


def classroom() -> Stage:
    """A classroom with a chalkboard, drawings and a shelf."""
    parts = _room((0.80, 0.74, 0.58), planks((0.46, 0.32, 0.19), 18, 3))
    parts.append(box("frame", (-1.62, 2.53, 1.02), (0.92, 2.57, 2.13), (0.45, 0.30, 0.16)))
    parts.append(quad("board", (-1.56, 2.52, 1.08), (2.42, 0, 0), (0, 0, 0.99), texture=_board()))
    parts.append(box("ledge", (-1.5, 2.44, 1.0), (0.8, 2.54, 1.03), (0.5, 0.34, 0.18)))
    for number, (x, z) in enumerate(
        [
            (1.15, 1.75),
            (1.55, 1.80),
            (1.95, 1.72),
            (1.18, 1.38),
            (1.58, 1.42),
            (-2.1, 1.7),
            (-2.12, 1.35),
            (-2.5, 1.6),
        ]
    ):
        parts.append(quad(f"drawing{number}", (x, 2.57, z), (0.34, 0, 0.004 * (number % 3)),
                          (0, 0, 0.25), texture=_drawing(number)))  # fmt: skip
    parts += shelf(1.05, 2.7, 2.2, [0.1, 0.5, 0.86], 40)
    return Stage(parts, _indoor_light(), exposure=1.2)


def library() -> Stage:
    """A library: a wall of books."""
    parts = _room((0.62, 0.70, 0.66), planks((0.36, 0.25, 0.16), 22, 9))
    for k in range(4):
        parts += shelf(-2.9 + 1.45 * k, -1.5 + 1.45 * k, 2.1, [0.1, 0.5, 0.9, 1.3, 1.7], 7 * k)
    return Stage(parts, _indoor_light(0.5), exposure=1.2)


def corridor() -> Stage:
    """A corridor with coloured lockers."""
    parts = _room((0.72, 0.77, 0.80), noisy((0.42, 0.46, 0.47), (512, 512), 0.06, 1.2, 4))
    tones = [(0.75, 0.42, 0.10), (0.14, 0.36, 0.42), (0.62, 0.60, 0.54)]
    for k in range(12):
        x = -2.75 + 0.46 * k
        for row in range(2):
            z = 0.12 + 0.85 * row
            parts.append(box(f"locker{k}{row}", (x, 2.2, z), (x + 0.44, 2.6, z + 0.83),
                             tones[(k + row) % 3], "plastic"))  # fmt: skip
            parts.append(box(f"knob{k}{row}", (x + 0.36, 2.17, z + 0.4), (x + 0.385, 2.2, z + 0.5),
                             (0.15, 0.15, 0.16), "plastic"))  # fmt: skip
            for slot in range(3):
                top = z + 0.70 + 0.03 * slot
                parts.append(box(f"slot{k}{row}{slot}", (x + 0.1, 2.195, top), (x + 0.3, 2.2,
                                 top + 0.01), (0.08, 0.08, 0.09)))  # fmt: skip
    for number in range(5):
        parts.append(quad(f"poster{number}", (-2.2 + 1.0 * number, 2.57, 2.0), (0.55, 0, 0),
                          (0, 0, 0.4), texture=_drawing(20 + number)))  # fmt: skip
    return Stage(parts, _indoor_light(-0.4), exposure=1.2)


def gym() -> Stage:
    """A gymnasium with wall bars."""
    parts = _room((0.66, 0.72, 0.62), planks((0.56, 0.38, 0.20), 26, 12))
    for k in range(5):
        x = -2.5 + 1.0 * k
        for post in (x, x + 0.9):
            parts.append(box(f"post{k}{post}", (post - 0.03, 2.45, 0), (post + 0.03, 2.58, 2.6),
                             (0.50, 0.32, 0.15), "wood"))  # fmt: skip
        for bar in range(13):
            z = 0.25 + 0.18 * bar
            line = np.array([[x, 2.47, z], [x + 0.45, 2.47, z], [x + 0.9, 2.47, z]])
            parts.append(tube(f"bar{k}{bar}", line, 0.019, (0.60, 0.40, 0.19)))
    parts.append(box("mat", (0.9, 1.5, 0), (2.6, 2.2, 0.22), (0.10, 0.24, 0.45)))
    return Stage(parts, _indoor_light(), exposure=1.18)


def theatre() -> Stage:
    """A stage with a red curtain and warm spotlights."""
    x = np.linspace(-5, 5, 500)
    z = np.linspace(0, 4, 12)
    gx, gz = np.meshgrid(x, z, indexing="ij")
    gy = 2.2 + 0.09 * np.sin(gx * 17 + 0.6 * np.sin(gx * 3)) + 0.03 * np.sin(gx * 41)
    points = np.stack([gx, gy, gz], axis=-1).reshape(-1, 3)
    a = (np.arange(499)[:, None] * 12 + np.arange(11)[None]).ravel()
    faces = np.concatenate([np.stack([a, a + 12, a + 13], 1), np.stack([a, a + 13, a + 1], 1)])
    curtain = Part("curtain", points, faces, normals(points, faces), None,
                   np.array([[0.42, 0.030, 0.035]]), None, "cloth")  # fmt: skip
    floor = quad("floor", (-6, -6, 0), (12, 0, 0), (0, 9, 0), texture=planks((0.30, 0.19, 0.10),
                 30, 8), material="wood")  # fmt: skip
    lights = {
        "ambient": ambient((0.20, 0.19, 0.22)),
        "spot1": area((2.4, -3.4, 3.3), (0, 0, 1.3), 0.9, 0.9, (26, 22, 16)),
        "spot2": area((-2.6, -3.2, 3.2), (0, 0, 1.3), 0.9, 0.9, (20, 17.5, 14)),
        "wash": area((0, 0.3, 3.8), (0, 2.3, 1.2), 2.5, 0.4, (8, 5, 4)),
    }
    stars = []
    rng = np.random.default_rng(3)
    for k in range(16):
        cx, cz = rng.uniform(-2.3, 2.3), rng.uniform(1.2, 2.5)
        angle = np.linspace(0, 2 * np.pi, 11)[:-1] + np.pi / 2
        radius = np.where(np.arange(10) % 2 == 0, 1.0, 0.42) * rng.uniform(0.04, 0.09)
        rim = np.stack([cx + radius * np.cos(angle), np.full(10, 2.0),
                        cz + radius * np.sin(angle)], axis=1)  # fmt: skip
        star = np.concatenate([rim, [[cx, 2.0, cz]]])
        tri = np.array([[i, (i + 1) % 10, 10] for i in range(10)])
        stars.append(Part(f"star{k}", star, tri, normals(star, tri), None,
                          np.array([[0.80, 0.58, 0.14]]), None, "plastic"))  # fmt: skip
    return Stage([curtain, floor, *stars], lights, exposure=1.18)


def _facade() -> Array:
    """A brick school building with windows."""
    rng = np.random.default_rng(6)
    image = np.zeros((400, 1600, 3))
    for row in range(100):
        for col in range(161):
            x = col * 10 - (row % 2) * 5
            tone = np.array([0.42, 0.19, 0.12]) * rng.uniform(0.75, 1.2)
            image[row * 4 : row * 4 + 3, max(x, 0) : max(x + 9, 0)] = tone
    image[image.sum(-1) == 0] = [0.45, 0.40, 0.35]
    canvas = Image.fromarray((image ** (1 / 2.2) * 255).astype(np.uint8))
    pen = ImageDraw.Draw(canvas)
    for k in range(10):
        for z in (50, 230):
            x = 40 + 158 * k
            pen.rectangle([x, z, x + 104, z + 108], fill=(238, 238, 232))
            pen.rectangle([x + 6, z + 6, x + 49, z + 102], fill=(96, 132, 160))
            pen.rectangle([x + 55, z + 6, x + 98, z + 102], fill=(108, 144, 170))
    return _linear(canvas)


def playground(tiles: bool = False) -> Stage:
    """The playground: grass or tiles, trees, a climbing frame and the school behind."""
    ground = (
        noisy((0.42, 0.40, 0.37), (1024, 1024), 0.05, 1.0, 3)
        if tiles
        else noisy((0.13, 0.27, 0.055), (1024, 1024), 0.16, 1.2, 2)
    )
    if tiles:
        ground[::26] *= 0.7
        ground[:, ::26] *= 0.7
    parts = [
        quad("ground", (-30, -12, 0), (60, 0, 0), (0, 60, 0), (0.12, 0.25, 0.05)),
        quad("near", (-8, -6, 0.002), (16, 0, 0), (0, 16, 0), texture=ground),
        quad("school", (-21, 40, 0), (42, 0, 0), (0, 0, 5.0), texture=_facade()),
        box("roof", (-21.4, 39.9, 5.0), (21.4, 40.6, 5.3), (0.25, 0.23, 0.22)),
    ]
    for number, (x, y, r) in enumerate([(-6.4, 26, 2.0), (-9.0, 31, 2.4), (7.6, 27, 2.2),
                                        (11.4, 33, 2.4)]):  # fmt: skip
        parts.append(ball(f"tree{number}", (x, y, 1.9 + r), r, (0.10, 0.24, 0.06), number, 0.16))
        trunk = np.array([[x, y, 0], [x, y, 1.5], [x, y, 3.0]])
        parts.append(tube(f"trunk{number}", trunk, 0.16, (0.22, 0.14, 0.08)))
    parts += [ball(f"bush{k}", (-12 + 3.0 * k, 38.5, 0.4), 0.8, (0.09, 0.20, 0.05), 50 + k, 0.2)
              for k in range(9)]  # fmt: skip
    if not tiles:
        red, blue = (0.62, 0.08, 0.06), (0.08, 0.22, 0.5)
        poles = [np.array([[x, y, 0], [x, y, 1.2], [x, y, 2.4]])
                 for x, y in ((1.5, 9.0), (3.1, 9.0), (1.5, 10.4), (3.1, 10.4))]  # fmt: skip
        parts += [tube(f"pole{k}", line, 0.05, red) for k, line in enumerate(poles)]
        rungs = [np.array([[1.5, 9.0, z], [2.3, 9.0, z], [3.1, 9.0, z]])
                 for z in (0.6, 1.1, 1.6, 2.1, 2.4)]  # fmt: skip
        parts += [tube(f"rung{k}", line, 0.035, blue) for k, line in enumerate(rungs)]
    return Stage(parts, sky(), exposure=1.05)


SETS: dict[str, Callable[[], Stage]] = {
    "classroom": classroom, "library": library, "corridor": corridor, "gym": gym,
    "theatre": theatre, "playground": playground, "yard": lambda: playground(tiles=True),
}  # fmt: skip
