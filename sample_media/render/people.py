"""The rendered people of the sample school: bodies, skin, eyes, clothes and hair.

Every person is made from a fixed seed and the Anny parametric body model, so the same
identifier always gives the same face. Nobody of them exists.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from pathlib import Path

import anny
import numpy as np
import torch
from anny.models.model_data import TopologyConfig
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

Array = NDArray[np.float64]
DATA = Path(anny.__file__).parent / "data" / "mpfb2"
TEXTURE_SIZE = 2048


# ---------------------------------------------------------------- descriptions of people


@dataclass(frozen=True)
class Hair:
    """One hairstyle: its shape, colour and size (lengths in metres)."""

    style: str  # short, buzz, afro, long, bob, ponytail, pigtails, bun, curls
    colour: tuple[float, float, float]
    length: float = 0.03
    part: float = 0.0
    bangs: float = 0.0
    curl: float = 0.0
    strands: int = 9000
    hairline: float = 0.0  # metres that the forehead's hairline lies higher
    volume: float = 0.012


@dataclass(frozen=True)
class Shirt:
    """Colours and cut of the clothes."""

    colour: tuple[float, float, float]
    second: tuple[float, float, float] | None = None
    pattern: str = "plain"  # plain, stripes, band, dots, zip
    sleeve: float = 0.30  # distance from the body's axis, in the neutral body, at which it ends
    trousers: tuple[float, float, float] = (0.10, 0.13, 0.22)


@dataclass(frozen=True)
class Person:
    """What distinguishes one rendered person from the others."""

    ident: str
    age: float
    female: float
    seed: int
    origin: tuple[float, float, float]  # shares of the model's three face groups
    skin: tuple[float, float, float]
    iris: tuple[float, float, float]
    hair: Hair
    shirt: Shirt
    weight: float = 0.5
    brow: tuple[float, float, float] = (1.0, 0.0, 0.0)  # thickness, angle, height
    freckles: float = 0.0
    beard: float = 0.0
    spread: float = 0.5  # strength of the random features
    relative_of: int | None = None  # seed shared with a sibling
    glasses: bool = False
    features: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Look:
    """A momentary appearance: expression, direction of the head, arms, gaze."""

    expression: str = "smile"
    yaw: float = 0.0
    pitch: float = 0.0
    tilt: float = 0.0
    arms: float = 1.0
    shirt: Shirt | None = None
    swing: float = 0.0  # degrees by which walking swings the arms
    blink: float = 0.0  # 1: eyes closed


EXPRESSIONS: dict[str, dict[str, float]] = {
    "neutral": {"mouthSmileLeft": 0.25, "mouthSmileRight": 0.25},
    "smile": {
        "mouthSmileLeft": 0.58, "mouthSmileRight": 0.58, "cheekSquintLeft": 0.35,
        "cheekSquintRight": 0.35, "mouthDimpleLeft": 0.1, "mouthDimpleRight": 0.1,
    },
    "grin": {
        "mouthSmileLeft": 0.75, "mouthSmileRight": 0.75, "cheekSquintLeft": 0.4,
        "cheekSquintRight": 0.4, "mouthDimpleLeft": 0.2, "mouthDimpleRight": 0.2,
    },
    "surprised": {"browInnerUp": 0.4, "browOuterUpLeft": 0.3, "browOuterUpRight": 0.3,
                  "mouthSmileLeft": 0.35, "mouthSmileRight": 0.35},
    "serious": {"mouthPressLeft": 0.15, "mouthPressRight": 0.15},
}  # fmt: skip


# ------------------------------------------------------------------------- the base mesh


@dataclass(frozen=True)
class Base:
    """The base mesh: corner indices per group, texture coordinates, neutral vertices."""

    groups: dict[str, NDArray[np.int64]]  # (faces, 4 corners, [vertex, texture])
    uv: Array
    neutral: Array


@functools.cache
def model() -> anny.Anny:
    """The Anny model on the full MakeHuman mesh, helper geometry included."""
    topology = TopologyConfig(
        base_mesh="makehuman", nudity_edits=False, remove_unattached_vertices=False
    )
    made = anny.Anny(
        topology=topology, local_changes="default", facial_actions="all", phenotypes="all",
        pose_parameterization="local-bone",
    )  # fmt: skip
    return made.to(dtype=torch.float32)


@functools.cache
def base() -> Base:
    """Read the base mesh's groups and texture coordinates."""
    groups: dict[str, list[list[tuple[int, int]]]] = {}
    uv: list[tuple[float, float]] = []
    current = "body"
    for line in (DATA / "3dobjs" / "base.obj").read_text().splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "vt":
            u, v = rest.split()[:2]
            uv.append((float(u), float(v)))
        elif kind == "g":
            current = rest.strip()
        elif kind == "f":
            corners = [tuple(int(i) - 1 for i in c.split("/")[:2]) for c in rest.split()]
            corners += corners[-1:] * (4 - len(corners))
            groups.setdefault(current, []).append(corners)  # type: ignore[arg-type]
    with torch.no_grad():
        out = model()(
            phenotype_kwargs=dict.fromkeys(model().phenotype_labels, 0.5),
            pose_parameterization="local-ref",
        )
    neutral = out["vertices"][0].double().numpy()
    return Base({k: np.array(v) for k, v in groups.items()}, np.array(uv), neutral)


def vertices(
    phenotype: dict[str, float],
    local: dict[str, float],
    face: dict[str, float],
    pose: dict[str, Array],
) -> tuple[Array, Array, Array]:
    """Vertices of a body, with its head's rotation and position change."""
    body = model()
    with torch.no_grad():
        plain = body(phenotype_kwargs=phenotype, local_changes_kwargs=local)
    frames = plain["rest_bone_poses"][0, :, :3, :3].double().numpy()
    delta = torch.eye(4)[None, None].repeat(1, body.bone_count, 1, 1)
    for bone, rotation in pose.items():
        number = body.bone_labels.index(bone)
        own = frames[number].T @ rotation @ frames[number]  # in the bone's own axes
        delta[0, number, :3, :3] = torch.tensor(own)
    with torch.no_grad():
        out = body(
            pose_parameters=delta, phenotype_kwargs=phenotype, local_changes_kwargs=local,
            facial_actions=face,
        )  # fmt: skip
    head = body.bone_labels.index("head")
    now = out["bone_poses"][0, head].double().numpy()
    rest = out["rest_bone_poses"][0, head].double().numpy()
    change = now @ np.linalg.inv(rest)
    return out["vertices"][0].double().numpy(), change[:3, :3], change[:3, 3]


def triangles(quads: NDArray[np.int64]) -> NDArray[np.int64]:
    """Split quads (n, 4, …) into triangles (2n, 3, …)."""
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])


def normals(points: Array, faces: NDArray[np.int64]) -> Array:
    """Area-weighted vertex normals."""
    corner = points[faces]
    normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    total = np.zeros_like(points)
    for i in range(3):
        np.add.at(total, faces[:, i], normal)
    return total / (np.linalg.norm(total, axis=1, keepdims=True) + 1e-12)


@functools.cache
def head_masks() -> dict[str, NDArray[np.bool_]]:
    """Vertex sets of the neutral head: scalp, face (for boxes), ears and the whole head."""
    x, y, z = np.abs(base().neutral[:, 0]), base().neutral[:, 1], base().neutral[:, 2]
    count = np.arange(len(x)) < 13380
    uv_vertex = np.zeros((len(x), 2))
    quads = base().groups["body"]
    uv_vertex[quads[..., 0].ravel()] = base().uv[quads[..., 1].ravel()]
    ear = np.zeros(len(x), bool)
    mask = np.asarray(Image.open(DATA / "textures" / "mpfb_ears.jpg").convert("L"))
    px = (uv_vertex * [mask.shape[1] - 1, 1 - mask.shape[0]] + [0, mask.shape[0] - 1]).astype(int)
    ear = (mask[px[:, 1].clip(0, 2047), px[:, 0].clip(0, 2047)] > 100) & count & (z > 0.55)
    ear |= (x > 0.071) & (z < 0.685) & (z > 0.58) & (y < 0.01) & (y > -0.06)
    head = (z > 0.54) & count
    return {"ear": ear, "head": head, "face": head & (z < 0.722) & (z > 0.545) & (y < -0.03)}


def scalp_weight(points: Array, hairline: float) -> Array:
    """How far inside the hairy part of the neutral head each point lies (positive: inside)."""
    x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
    front = 0.719 + hairline - 0.12 * np.clip(x - 0.03, 0, 1)
    side = np.interp(y, [-0.085, -0.06, -0.045, 0.0, 0.03, 0.09],
                     [0.70, 0.672, 0.64, 0.635, 0.59, 0.575])  # fmt: skip
    return z - np.where(y < -0.085, front, np.minimum(np.maximum(side, 0), front))


# ------------------------------------------------------------------------- shape of a face


def phenotype_of(person: Person) -> dict[str, float]:
    """Anny's phenotype values for a person."""
    age = float(np.interp(person.age, [1, 11, 25, 90], [0, 1 / 3, 2 / 3, 1]))
    names = dict.fromkeys(model().phenotype_labels, 0.5)
    total = sum(person.origin)
    names.update(
        gender=person.female, age=age, weight=person.weight, muscle=0.36,
        african=person.origin[0] / total, asian=person.origin[1] / total,
        caucasian=person.origin[2] / total,
    )  # fmt: skip
    if "cupsize" in names:
        names["cupsize"] = 0.35
    return names


FEATURES = ("cheek", "chin", "eye-", "forehead", "head-", "mouth", "nose", "eyebrows", "ear-")


def features_of(person: Person) -> dict[str, float]:
    """The random, nearly symmetric facial features of a person."""

    def draw(seed: int) -> dict[str, float]:
        rng = np.random.default_rng(seed)
        values: dict[str, float] = {}
        for key in model().local_change_labels:
            if not any(part in key for part in FEATURES):
                continue
            name = key[2:] if key[:2] in ("l-", "r-") else key
            values.setdefault(name, float(rng.normal(0, 1)))
        return values

    own = draw(person.seed)
    if person.relative_of is not None:
        shared = draw(person.relative_of)
        own = {k: 0.97 * shared[k] + 0.2 * own[k] for k in own}
    result: dict[str, float] = {}
    for key in model().local_change_labels:
        name = key[2:] if key[:2] in ("l-", "r-") else key
        if name not in own:
            continue
        value = own[name] * person.spread
        if name.startswith(("head-", "forehead", "head-age")):
            value *= 0.6
        if name in ("head-age-incr", "mouth-trans-out", "head-trans-out", "nose-trans-out"):
            value *= 0.15
        if name.startswith("ear-"):
            value *= 0.5
        if "eye-bag" in name or "laugh-lines" in name:
            value *= 0.4
        value = dict(person.features).get(name, value)
        result[key] = float(np.clip(value, -0.95, 0.95))
    return result


def turn(axis: str, degrees: float) -> Array:
    """A rotation about one world axis."""
    return Rotation.from_euler(axis, degrees, degrees=True).as_matrix()


def pose_of(look: Look) -> dict[str, Array]:
    """Bone rotations for a look: arms hanging or swinging, the head turned with the neck."""
    part = Rotation.from_euler(
        "zxy", [look.yaw / 2, look.pitch / 2, look.tilt / 2], degrees=True
    ).as_matrix()
    down = 35.0 * look.arms
    return {
        "neck02": part, "head": part,
        "clavicle.L": turn("y", 4 * look.arms), "clavicle.R": turn("y", -4 * look.arms),
        "upperarm01.L": turn("x", look.swing) @ turn("y", down),
        "upperarm01.R": turn("x", -look.swing) @ turn("y", -down),
        "lowerarm01.L": turn("x", 12), "lowerarm01.R": turn("x", 12),
    }  # fmt: skip


# ------------------------------------------------------------------------------- the skin


@functools.cache
def front_lookup() -> tuple[cKDTree, Array, Array]:
    """Neutral front-of-head points with their texture coordinates, for painting."""
    quads = base().groups["body"]
    tri = triangles(quads)
    corner = base().neutral[tri[..., 0]]
    keep = (corner[..., 2].min(1) > 0.55) & (corner[..., 1].max(1) < -0.05)
    tri, corner = tri[keep], corner[keep]
    grid = np.array([(i, j, 12 - i - j) for i in range(13) for j in range(13 - i)]) / 12
    points = np.einsum("gk,tkd->tgd", grid, corner).reshape(-1, 3)
    uv = np.einsum("gk,tkd->tgd", grid, base().uv[tri[..., 1]]).reshape(-1, 2)
    outside = np.concatenate([points[:, :1], points[:, 2:]], axis=1)
    return cKDTree(outside), points, uv


def face_uv(x: Array, z: Array) -> Array:
    """Pixels in the skin texture of front-view points of the neutral face."""
    tree, points, uv = front_lookup()
    _, found = tree.query(np.stack([x, z], axis=-1), k=12)
    best = np.take_along_axis(found, points[found][..., 1].argmin(-1)[..., None], -1)[..., 0]
    return uv[best] * [TEXTURE_SIZE, -TEXTURE_SIZE] + [0, TEXTURE_SIZE]


def _mask(name: str) -> Array:
    image = Image.open(DATA / "textures" / f"mpfb_{name}.jpg").convert("L")
    return np.asarray(image.resize((TEXTURE_SIZE, TEXTURE_SIZE))) / 255.0


def _spots(size: float, spots: list[tuple[float, float]]) -> Array:
    image = np.zeros((TEXTURE_SIZE, TEXTURE_SIZE))
    for px, py in face_uv(*np.array(spots).T):
        image[int(py), int(px)] = 1
    image = gaussian_filter(image, size)
    return image / image.max()


@functools.cache
def scalp_paint(hairline: float) -> Array:
    """How much of the hair's colour the skin under it takes, as a texture."""
    tri = triangles(base().groups["body"])
    corner = base().neutral[tri[..., 0]]
    keep = corner[..., 2].min(1) > 0.55
    grid = np.array([(i, j, 12 - i - j) for i in range(13) for j in range(13 - i)]) / 12
    points = np.einsum("gk,tkd->tgd", grid, corner[keep]).reshape(-1, 3)
    uv = np.einsum("gk,tkd->tgd", grid, base().uv[tri[keep][..., 1]]).reshape(-1, 2)
    ear = np.einsum("gk,tk->tg", grid, head_masks()["ear"][tri[keep][..., 0]]).ravel()
    inside = np.clip((scalp_weight(points, hairline) - 0.002) / 0.006, 0, 1) * (ear < 0.1)
    px = (uv * [TEXTURE_SIZE, -TEXTURE_SIZE] + [0, TEXTURE_SIZE]).astype(int)
    px = px.clip(0, TEXTURE_SIZE - 1)
    total = np.zeros((2, TEXTURE_SIZE, TEXTURE_SIZE))
    np.add.at(total[0], (px[:, 1], px[:, 0]), inside)
    np.add.at(total[1], (px[:, 1], px[:, 0]), 1)
    total = np.stack([gaussian_filter(t, 4) for t in total])
    return total[0] / (total[1] + 1e-4)


def skin_texture(person: Person) -> Array:
    """Paint a person's skin: tone, cheeks, lips, lids, brows, freckles and scalp."""
    rng = np.random.default_rng(person.seed + 77)
    skin = np.array(person.skin)
    shape = (TEXTURE_SIZE, TEXTURE_SIZE)
    noise = gaussian_filter(rng.normal(size=shape), 14)
    noise += 0.35 * gaussian_filter(rng.normal(size=shape), 4) * 4 / 14
    noise /= noise.std()
    image = skin * (1 + 0.02 * noise[..., None])
    red = _spots(36, [(-0.045, 0.617), (0.045, 0.617)]) * 0.5 + _spots(14, [(0, 0.618)]) * 0.4
    flush = skin * [1.06, 0.78, 0.74]
    image += (red * 0.75)[..., None] * (flush - skin)
    lips = np.clip(gaussian_filter(_mask("lips"), 2), 0, 1)[..., None]
    lip = skin * [0.92, 0.60, 0.58] + (0.03 if person.skin[0] > 0.4 else 0.02)
    image = image * (1 - 0.8 * lips) + 0.8 * lips * lip
    lids = gaussian_filter(_mask("eyelids"), 3)[..., None]
    image *= 1 - 0.22 * lids
    scalp = 0.8 * scalp_paint(person.hair.hairline)[..., None]
    image = image * (1 - scalp) + scalp * np.array(person.hair.colour)
    draw = Image.fromarray((np.clip(image, 0, 1) ** (1 / 2.2) * 255).astype(np.uint8))
    if person.freckles:
        pen = ImageDraw.Draw(draw, "RGBA")
        tone = tuple(int(255 * c ** (1 / 2.2)) for c in skin * [0.72, 0.5, 0.38])
        xs = rng.normal(0, 0.028, 260) + np.where(rng.random(260) < 0.5, -0.022, 0.022)
        zs = rng.normal(0.628, 0.009, 260)
        for (px, py), r in zip(face_uv(xs, zs), rng.uniform(0.6, 1.7, 260), strict=True):
            pen.ellipse([px - r, py - r, px + r, py + r], fill=(*tone, int(150 * person.freckles)))
    _paint_brows(draw, person, rng)
    if person.beard:
        pen = ImageDraw.Draw(draw, "RGBA")
        xs, zs = rng.uniform(-0.06, 0.06, 9000), rng.uniform(0.545, 0.622, 9000)
        inside = (zs < 0.60 - 0.25 * np.abs(xs) + 0.3 * np.clip(np.abs(xs) - 0.035, 0, 1)) | (
            (np.abs(xs) < 0.026) & (zs < 0.608)
        )
        inside &= ~((np.abs(xs) < 0.026) & (np.abs(zs - 0.589) < 0.011))
        tone = tuple(int(255 * c ** (1 / 2.2)) for c in person.hair.colour)
        for px, py in face_uv(xs[inside], zs[inside]):
            pen.line([px, py, px + rng.normal(0, 1), py + 2], fill=(*tone, int(90 * person.beard)))
    return (np.asarray(draw) / 255.0) ** 2.2


def _paint_brows(image: Image.Image, person: Person, rng: np.random.Generator) -> None:
    layer = Image.new("RGBA", image.size, (0, 0, 0, 0))
    pen = ImageDraw.Draw(layer)
    thick, angle, height = person.brow
    tone = tuple(int(255 * (0.85 * c) ** (1 / 2.2)) for c in person.hair.colour)
    count = 320
    for side in (-1, 1):
        t = rng.random(count)
        middle = 0.0665 + 0.1 * height * 0.04 + 0.6 + 0.0055 * np.sin(np.pi * t**0.8)
        middle += angle * 0.004 * (t - 0.5)
        half = 0.0034 * thick * np.clip(1.15 - t, 0.25, 1)
        x = 0.0115 + 0.042 * t
        z = middle + rng.uniform(-1, 1, count) * half
        start = face_uv(side * x, z)
        lean = 0.0045 * (0.35 + 0.65 * t)
        end = face_uv(side * (x + lean), z + 0.0035 * (1 - 1.3 * t))
        for a, b in zip(start, end, strict=True):
            if np.hypot(*(a - b)) < 40:
                pen.line([*a, *b], fill=(*tone, 150), width=2)
    layer = layer.filter(ImageFilter.GaussianBlur(0.7))
    image.paste(layer, (0, 0), layer)


# ------------------------------------------------------------------------------ the parts


@dataclass
class Part:
    """One piece of geometry with its material, ready for the renderer."""

    name: str
    points: Array
    faces: NDArray[np.int64]
    normals: Array
    uv: Array | None = None
    colour: Array | None = None  # per vertex
    texture: Array | None = None
    material: str = "skin"


@dataclass
class Strands:
    """Hair: control points (strands, steps, 3), a radius and a colour."""

    points: Array
    radius: float
    colour: tuple[float, float, float]


@dataclass
class Figure:
    """A posed person: all its parts, and the face's points for boxes."""

    person: Person
    parts: list[Part]
    strands: list[Strands]
    face: Array
    forward: Array
    height: float


def _garment(
    name: str, points: Array, pick: NDArray[np.bool_], offset: float, smooth: int,
    texture: Array | None, colour: tuple[float, float, float],
) -> Part:  # fmt: skip
    quads = base().groups["helper-tights"][..., 0]
    quads = quads[pick[quads].all(1)]
    used, index = np.unique(quads, return_inverse=True)
    quads = index.reshape(quads.shape)
    tri = triangles(quads)
    place, neutral = points[used].copy(), base().neutral[used]
    place += offset * normals(place, tri)
    edges = np.concatenate([quads[:, [i, (i + 1) % 4]] for i in range(4)])
    edges = np.unique(np.sort(edges, axis=1), axis=0)
    degree = np.bincount(edges.ravel(), minlength=len(used))[:, None]
    for _ in range(smooth):
        total = np.zeros_like(place)
        np.add.at(total, edges[:, 0], place[edges[:, 1]])
        np.add.at(total, edges[:, 1], place[edges[:, 0]])
        place = 0.5 * place + 0.5 * total / degree
    uv = np.stack([neutral[:, 0] * 2 + 0.5, (neutral[:, 2] + 1) / 2], axis=1)
    paint = None if texture is not None else np.tile(colour, (len(used), 1))
    return Part(name, place, tri, normals(place, tri), uv, paint, texture, "cloth")


def shirt_texture(shirt: Shirt) -> Array | None:
    """The pattern on a shirt, projected from the front of the neutral body."""
    if shirt.pattern == "plain" or shirt.second is None:
        return None
    size = 1024
    v, u = np.mgrid[0:size, 0:size]
    z = (1 - v / size) * 2 - 1
    x = (u / size - 0.5) / 2
    if shirt.pattern == "stripes":
        pick = ((z * 100 / 4.2) % 1) < 0.42
    elif shirt.pattern == "band":
        pick = (z < 0.34) & (z > 0.25)
    elif shirt.pattern == "zip":
        pick = np.abs(x) < 0.0035
    elif shirt.pattern == "yoke":
        pick = z > 0.37
    else:  # dots
        row = np.floor(z * 100 / 4)
        dx = ((x * 100 / 4 + 0.5 * (row % 2)) % 1) - 0.5
        dz = ((z * 100 / 4) % 1) - 0.5
        pick = np.hypot(dx, dz) < 0.24
    return np.where(pick[..., None], shirt.second, shirt.colour)


def _eye(name: str, points: Array, person: Person, gaze: Array) -> Part:
    centre = (points.max(0) + points.min(0)) / 2
    radius = float(np.ptp(points, axis=0).mean() / 2)
    rings = np.concatenate([np.linspace(0, 40, 41), np.linspace(45, 180, 28)])
    around = np.linspace(0, 2 * np.pi, 49)[:-1]
    polar = np.radians(np.repeat(rings, len(around)))
    turn_angle = np.tile(around, len(rings))
    local = np.stack([np.sin(polar) * np.cos(turn_angle), np.cos(polar),
                      np.sin(polar) * np.sin(turn_angle)], axis=1)  # fmt: skip
    degrees = np.degrees(polar)
    iris = np.array(person.iris)
    rng = np.random.default_rng(person.seed)
    ray = 1 + 0.16 * np.tile(rng.normal(size=len(around)), len(rings))[:, None]
    colour = np.tile([0.80, 0.77, 0.75], (len(local), 1))
    colour[degrees > 50] = [0.72, 0.58, 0.55]
    inner = degrees < 28
    shade = np.interp(degrees, [11, 17, 24, 28], [1.25, 1.1, 0.8, 0.35])[:, None]
    colour[inner] = (iris * ray * shade)[inner]
    colour[degrees < 12] = 0.008
    forward = gaze / np.linalg.norm(gaze)
    right = np.cross(forward, [0, 0, 1.0])
    right /= np.linalg.norm(right)
    basis = np.stack([right, forward, np.cross(right, forward)])
    outward = local @ basis
    # a slightly flattened iris disc would need a cornea; a plain ball looks alive enough
    n = len(around)
    i = np.arange(len(rings) - 1)[:, None] * n
    j = np.arange(n)[None]
    a, b = (i + j).ravel(), (i + (j + 1) % n).ravel()
    faces = np.concatenate([np.stack([a, b, b + n], 1), np.stack([a, b + n, a + n], 1)])
    return Part(name, centre + radius * outward, faces, outward, None, np.clip(colour, 0, 1),
                None, "eye")  # fmt: skip


def figure(
    person: Person, look: Look, facing: float = 0.0, at: tuple[float, float, float] = (0, 0, 0),
    target: Array | None = None, detail: float = 1.0,
) -> Figure:  # fmt: skip
    """Build a posed person, feet at ``at``, the body turned by ``facing`` degrees.

    ``target`` is a point (such as the camera) that the eyes look at; ``detail`` scales the
    number of hairs, for people far away.
    """
    action = dict(EXPRESSIONS[look.expression])
    if look.blink:
        action |= {"eyeBlinkLeft": look.blink, "eyeBlinkRight": look.blink}
    points, rotation, shift = vertices(
        phenotype_of(person), features_of(person), action, pose_of(look)
    )
    floor = points[:13380, 2].min()
    height = float(np.ptp(points[:13380, 2]))
    base_body = base()
    shirt = look.shirt or person.shirt
    neutral = base_body.neutral
    x, y, z = np.abs(neutral[:, 0]), neutral[:, 1], neutral[:, 2]

    neck = 0.505 + 0.38 * np.clip(y, -0.15, 0.04) + 0.3 * np.clip(x - 0.06, 0, 1)
    top = (z < neck) & (z > -0.06) & (x < shirt.sleeve)
    legs = (z < 0.02) & (x < 0.36) & (z > -0.83)
    legs &= x < 0.25
    quads = base_body.groups["body"]
    nape = 0.04 * np.clip(y / 0.04, 0, 1)  # the shirt is cut lower there
    hidden = ((z < neck - 0.018 - nape) & (x < shirt.sleeve - 0.03)) & (z > -0.80)
    quads = quads[~hidden[quads[..., 0]].all(1)]
    pairs, index = np.unique(quads.reshape(-1, 2), axis=0, return_inverse=True)
    skin_faces = triangles(index.reshape(quads.shape[:2]))
    body_tri = triangles(base_body.groups["body"][..., 0])
    body_normals = normals(points, body_tri)
    texture = skin_texture_cached(person)

    look_at = (target if target is not None else np.array([0, -3.0, 1.2])) - np.array(at)
    spin = turn("z", facing)
    world_forward = spin @ rotation @ np.array([0, -1.0, 0])
    head_now = points[head_masks()["face"]].mean(0)
    wish = look_at - (spin @ (head_now - [0, 0, floor]))
    wish /= np.linalg.norm(wish)
    gaze_world = world_forward + 0.75 * (wish - world_forward)
    gaze = spin.T @ gaze_world

    parts = [
        Part("skin", points[pairs[:, 0]], skin_faces, body_normals[pairs[:, 0]],
             base_body.uv[pairs[:, 1]], None, texture, "skin"),
        _garment("shirt", points, top, 0.006, 3, shirt_texture(shirt), shirt.colour),
        _garment("trousers", points, legs, 0.004, 2, None, shirt.trousers),
    ]  # fmt: skip
    for side in "lr":
        used = np.unique(base_body.groups[f"helper-{side}-eye"][..., 0])
        parts.append(_eye(f"eye-{side}", points[used], person, gaze))
    if person.glasses:
        parts += _glasses(points, rotation)

    strands = _hair(person, points, body_normals, rotation, shift, detail, top)
    move = np.array(at, float) - [0, 0, floor]
    for part in parts:
        part.points = part.points @ spin.T
        part.points[:, 2] -= floor
        part.points += np.array(at, float)
        part.normals = part.normals @ spin.T
    for strand in strands:
        strand.points = strand.points @ spin.T + move
    face = points[head_masks()["face"]] @ spin.T + move
    return Figure(person, parts, strands, face, world_forward, height)


@functools.lru_cache(maxsize=16)
def skin_texture_cached(person: Person) -> Array:
    """The skin texture, kept so that several pictures share it."""
    return skin_texture(person)


def _glasses(points: Array, rotation: Array) -> list[Part]:
    parts = []
    right, forward = rotation @ [1.0, 0, 0], rotation @ [0, -1.0, 0]
    up = rotation @ [0, 0, 1.0]
    centres = []
    for side in "lr":
        used = np.unique(base().groups[f"helper-{side}-eye"][..., 0])
        centres.append(points[used].mean(0) + 0.026 * forward - 0.002 * up)
    ring = np.linspace(0, 2 * np.pi, 41)[:-1]
    lines = [c + 0.023 * np.cos(ring)[:, None] * right + 0.019 * np.sin(ring)[:, None] * up
             for c in centres]  # fmt: skip
    lines = [np.concatenate([line, line[:1]]) for line in lines]
    sign = 1 if (centres[0] - centres[1]) @ right > 0 else -1
    inner = [centres[0] - sign * 0.023 * right, centres[1] + sign * 0.023 * right]
    lines.append(np.linspace(inner[0], inner[1], 6) + 0.003 * up)
    for centre, way in zip(centres, (sign, -sign), strict=True):
        outer = centre + way * 0.023 * right + 0.004 * up
        lines.append(np.linspace(outer, outer + way * 0.024 * right - 0.10 * forward, 6))
    for number, line in enumerate(lines):
        parts.append(tube(f"glasses-{number}", line, 0.0013, (0.05, 0.04, 0.05)))
    return parts


def tube(name: str, line: Array, radius: float, colour: tuple[float, float, float]) -> Part:
    """A thin pipe along a line."""
    step = np.gradient(line, axis=0)
    step /= np.linalg.norm(step, axis=1, keepdims=True)
    side = np.cross(step, [0.3, 0.2, 0.93])
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    other = np.cross(step, side)
    angle = np.linspace(0, 2 * np.pi, 9)[:-1]
    out = (np.cos(angle)[None, :, None] * side[:, None]
           + np.sin(angle)[None, :, None] * other[:, None])  # fmt: skip
    points = (line[:, None] + radius * out).reshape(-1, 3)
    i = np.arange(len(line) - 1)[:, None] * 8
    j = np.arange(8)[None]
    a, b = (i + j).ravel(), (i + (j + 1) % 8).ravel()
    faces = np.concatenate([np.stack([a, b, b + 8], 1), np.stack([a, b + 8, a + 8], 1)])
    return Part(name, points, faces, out.reshape(-1, 3), None, np.tile(colour, (len(points), 1)),
                None, "plastic")  # fmt: skip


# ------------------------------------------------------------------------------- the hair


def _roots(hair: Hair, count: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], Array]:
    """Random places on the scalp: vertex triples and barycentric weights."""
    tri = triangles(base().groups["body"][..., 0])
    neutral = base().neutral
    corner = neutral[tri]
    middle = corner.mean(1)
    keep = (middle[:, 2] > 0.56) & ~head_masks()["ear"][tri].any(1)
    keep &= scalp_weight(middle, hair.hairline) > -0.01
    keep &= np.linalg.norm(middle - [0, -0.01, 0.66], axis=1) > 0.06
    tri, corner = tri[keep], corner[keep]
    area = np.linalg.norm(np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]),
                          axis=1)  # fmt: skip
    pick = rng.choice(len(tri), size=count * 2, p=area / area.sum())
    weight = rng.dirichlet([1, 1, 1], size=count * 2)
    place = np.einsum("nk,nkd->nd", weight, neutral[tri[pick]])
    jitter = rng.normal(0, 0.0022, count * 2)
    inside = scalp_weight(place, hair.hairline) + jitter > 0
    return tri[pick][inside][:count], weight[inside][:count]


def _hair(
    person: Person, points: Array, body_normals: Array, rotation: Array, shift: Array,
    detail: float, clothed: NDArray[np.bool_],
) -> list[Strands]:  # fmt: skip
    """Grow hair, in the head's own frame, over the posed body."""
    hair = person.hair
    rng = np.random.default_rng(person.seed + 5)
    count = max(int(hair.strands * detail), 800)
    tri, weight = _roots(hair, count, rng)
    count = len(tri)
    local = (points - shift) @ rotation
    local_normals = body_normals @ rotation
    neutral = base().neutral
    root0 = np.einsum("nk,nkd->nd", weight, neutral[tri])
    root = np.einsum("nk,nkd->nd", weight, local[tri])
    normal = np.einsum("nk,nkd->nd", weight, local_normals[tri])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    gravity = rotation.T @ np.array([0, 0, -1.0])
    solid = np.arange(13380)
    solid = solid[(neutral[:13380, 2] > 0.2) & (np.abs(neutral[:13380, 0]) < 0.3)]
    tree = cKDTree(local[solid])
    solid_normal = local_normals[solid]
    cloth = np.where(clothed[solid], 0.014, 0.0)
    head_points = local[:13380][head_masks()["head"][:13380] & (neutral[:13380, 2] > 0.6)]
    top, low = head_points[:, 2].max(), head_points[:, 2].min()
    scale = (top - low) / 0.165
    centre = np.array([0, (head_points[:, 1].max() + head_points[:, 1].min()) / 2,
                       low + 0.5 * (top - low)])  # fmt: skip

    x0, y0, z0 = root0.T
    side = np.sign(root0[:, 0] - hair.part + rng.normal(0, 0.003, count))
    layer = rng.random(count)
    length = np.full(count, hair.length)
    lift = np.full(count, 0.3)
    comb = np.zeros((count, 3))
    pull = np.zeros(count)  # strength of gravity
    style = hair.style
    crown = np.clip((z0 - 0.69) / 0.05, 0, 1)
    if style in ("short", "buzz"):
        length *= np.interp(z0, [0.58, 0.64, 0.70, 0.73], [0.25, 0.4, 0.8, 1.0])
        length *= rng.uniform(0.75, 1.1, count)
        sweep = np.where(side == 0, 1.0, side) if hair.part else np.ones(count)
        comb[:, 0] = 0.9 * sweep * crown
        comb[:, 1] = np.where(y0 < -0.06, -0.25, 0.15)
        comb[:, 2] = -1.1 + 0.9 * crown
        lift[:] = 0.35 + 0.3 * crown
        pull[:] = 0.05
    elif style == "afro":
        length *= rng.uniform(0.7, 1.05, count) * np.interp(z0, [0.58, 0.66], [0.6, 1.0])
        lift[:] = 1.0
    elif style in ("long", "bob", "curls"):
        comb[:, 0] = 1.0 * side * np.clip(1.0 - np.abs(x0) / 0.09, 0.15, 1)
        comb[:, 1] = 0.75 - 0.3 * crown
        comb[:, 2] = -0.6
        lift[:] = 0.25
        pull[:] = 1.0
        length *= rng.uniform(0.86, 1.0, count)
    else:
        lift[:] = 0.1
    front = np.zeros(count, bool)
    if hair.bangs:
        front = (y0 < -0.055) & (z0 > 0.70) & (np.abs(x0) < 0.062)
        length[front] = hair.bangs * rng.uniform(0.85, 1.05, front.sum())
        comb[front] = np.stack([0.25 * side * rng.random(count), np.full(count, -0.8),
                                np.full(count, -0.6)], axis=1)[front]  # fmt: skip
        lift[front], pull[front] = 0.3, 0.6
    ties = {
        "ponytail": [np.array([0, 0.105, 0.045])], "bun": [np.array([0, 0.095, 0.055])],
        "pigtails": [np.array([-0.088, 0.035, -0.005]), np.array([0.088, 0.035, -0.005])],
    }.get(style)  # fmt: skip
    steps = {"short": 6, "buzz": 4, "afro": 12}.get(style, 22)
    path = np.empty((count, steps, 3))
    path[:, 0] = root - 0.002 * normal
    margin = 0.002 + hair.volume * layer
    direction = lift[:, None] * normal + comb
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    first = direction.copy()
    tie = None
    if ties is not None:
        tie = centre + scale * np.array(ties)[(x0 > 0).astype(int) % len(ties)]
        length = np.full(count, hair.length)
        length[front] = hair.bangs
    lengths = length * scale
    place = path[:, 0].copy()
    wander = rng.normal(0, 0.12, (count, 3))
    phase = rng.uniform(0, 2 * np.pi, count)
    clump = np.floor(np.arctan2(x0, y0) * 9) + np.floor(z0 * 60) * 100
    phase = np.where(rng.random(count) < 0.7, (clump * 2.399) % (2 * np.pi), phase)
    gathered = 12 if ties is not None else 0
    for k in range(1, steps):
        if tie is not None:
            goal = tie - place
            if k < gathered:
                step = goal / (gathered - k)
                fallen = np.zeros((count, 3))
            else:
                outward = tie - centre
                outward /= np.linalg.norm(outward, axis=1, keepdims=True)
                late = (k - gathered + 1) / (steps - gathered)
                fallen = outward * max(0.0, 0.9 - 2.2 * late) + gravity * min(1.0, 0.25 + late * 2)
                fallen /= np.linalg.norm(fallen, axis=1, keepdims=True)
                bulge = np.sin(np.pi * min(1, late * 1.1)) * 0.35
                fallen = fallen + wander * bulge
                step = fallen * (lengths / (steps - gathered))[:, None]
            step[front] = 0
        else:
            step = np.zeros((count, 3))
        free = front if tie is not None else np.ones(count, bool)
        if free.any():
            falling = style in ("long", "bob", "curls")
            fade = max(0.0, 1 - k / 7) if falling else 1.0
            start = direction if not falling else fade * first
            heading = start + pull[:, None] * gravity * (0.35 + 2 * k / steps) + 0.2 * wander
            if falling:
                ahead = (place[:, 1] < centre[1] - 0.03 * scale) & (np.abs(place[:, 0]) < 0.075)
                heading[:, 1] += np.where(ahead & ~front, 0.9, 0.0)
                heading[:, 0] += np.where(ahead & ~front, 0.5 * side, 0.0)
            heading /= np.linalg.norm(heading, axis=1, keepdims=True)
            direction = np.where(free[:, None], 0.6 * direction + 0.4 * heading, direction)
            direction /= np.linalg.norm(direction, axis=1, keepdims=True)
            grown = direction * (lengths / (steps - 1))[:, None]
            step = np.where(free[:, None], grown, step)
        place = place + step
        if style != "afro":
            dist, near = tree.query(place)
            inside = ((place - tree.data[near]) * solid_normal[near]).sum(1)
            want = margin * min(1, k / 3) + cloth[near]
            if ties is not None and k < gathered:
                want = np.minimum(want, 0.007)
            push = np.clip(want - inside, 0, 0.03) * (dist < 0.06)
            push = np.where((tie is not None) & ~front & (k >= gathered - 1), 0, push)
            place = place + push[:, None] * solid_normal[near]
        path[:, k] = place
    if hair.curl:
        t = np.linspace(0, 1, steps)[None] * lengths[:, None] / 0.022
        grow = np.clip(np.linspace(0, 3, steps), 0, 1)[None] * hair.curl
        across = np.cross(normal, [0, 0, 1.0])
        across /= np.linalg.norm(across, axis=1, keepdims=True) + 1e-9
        spin = t * 2 * np.pi * 0.45 + phase[:, None]
        path += (grow * np.cos(spin))[..., None] * across[:, None]
        path += (grow * np.sin(spin))[..., None] * normal[:, None]
    if style == "bun":
        path = np.concatenate([path[:, :gathered], path[:, gathered - 1 : gathered]], axis=1)
    world = path @ rotation.T + shift
    colour = np.array(hair.colour)
    radius = 0.00045 * np.sqrt(9000 / count) * 1.25
    if style in ("buzz", "short"):
        radius *= 0.9
    shades = np.array_split(rng.permutation(count), 3)
    result = []
    for pick, tone in zip(shades, (0.75, 1.0, 1.3), strict=True):
        result.append(Strands(world[pick], radius, tuple(np.clip(colour * tone, 0, 1))))
    if style == "bun":
        result += _bun(tie[0], scale, rotation, shift, hair, rng)  # type: ignore[index]
    return result


def _bun(
    tie: Array, scale: float, rotation: Array, shift: Array, hair: Hair, rng: np.random.Generator
) -> list[Strands]:
    middle = tie + scale * np.array([0, 0.018, 0.008])
    count, steps = 1600, 18
    axis = rng.normal(size=(count, 3)) * 0.35 + [0, 1.0, 0.4]
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    start = np.cross(axis, rng.normal(size=(count, 3)))
    start /= np.linalg.norm(start, axis=1, keepdims=True)
    other = np.cross(axis, start)
    angle = np.linspace(0, 4.5, steps)
    radius = scale * rng.uniform(0.024, 0.034, count)[:, None, None]
    loop = (np.cos(angle)[None, :, None] * start[:, None]
            + np.sin(angle)[None, :, None] * other[:, None])  # fmt: skip
    height = axis[:, None] * rng.uniform(-0.6, 0.6, count)[:, None, None]
    path = middle + radius * (loop + height) / np.linalg.norm(loop + height, axis=2, keepdims=True)
    return [Strands(path @ rotation.T + shift, 0.0009, hair.colour)]


def with_shirt(person: Person, shirt: Shirt) -> Person:
    """The same person in other clothes."""
    return replace(person, shirt=shirt)
