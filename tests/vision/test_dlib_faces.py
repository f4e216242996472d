"""Vectors of faces: comparable, bounded, and never of something that is no face."""

import sys
import types

import cv2
import dlib
import numpy as np
import pytest

from mediaguard.core.faces import Box, Detection
from mediaguard.core.matching import GalleryIndex, MatchPolicy, identify
from mediaguard.vision import dlib_faces
from mediaguard.vision.centerface import CenterFace
from mediaguard.vision.dlib_faces import (
    DIMENSIONS,
    DlibEmbedder,
    FaceRecognitionDetector,
    _surroundings,
)
from mediaguard.vision.models import verified
from tests.vision.drawn import face


@pytest.fixture(scope="module")
def embedder():
    return DlibEmbedder()


def portrait(height=150, side=400):
    image = np.full((side, side, 3), 150, np.uint8)
    drawn = face(height)
    image[40 : 40 + drawn.shape[0], 60 : 60 + drawn.shape[1]] = drawn
    (detection, *_) = CenterFace().detect(image)
    return image, detection


def test_one_row_a_face(embedder):
    image, detection = portrait()
    rows = embedder.embed(image, [detection, detection])
    assert rows.shape == (2, DIMENSIONS)
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows[0], rows[1])
    assert np.linalg.norm(rows[0]) == pytest.approx(1.42, abs=1e-3)


def test_no_faces_no_rows(embedder):
    assert embedder.embed(np.zeros((10, 10, 3), np.uint8), []).shape == (0, DIMENSIONS)


def test_a_mirrored_picture_gives_a_nearer_vector_than_the_network_alone(embedder):
    """Not the same one: the landmark predictor does not see a face and its mirror image alike."""
    image, detection = portrait()
    box = detection.box
    reference = dlib.face_recognition_model_v1(str(verified("dlib-resnet")))
    turned = np.ascontiguousarray(image[:, ::-1])
    mirrored = Detection(Box(image.shape[1] - box.right, box.y, box.w, box.h), detection.score)

    def alone(picture, face):
        crop, rectangle = _surroundings(picture, face.box)
        shape = embedder._landmarks(crop, rectangle)
        return np.asarray(reference.compute_face_descriptor(crop, shape))

    one, other = embedder.embed(image, [detection])[0], embedder.embed(turned, [mirrored])[0]
    single = np.linalg.norm(alone(image, detection) - alone(turned, mirrored))
    assert 0 < np.linalg.norm(one - other) < single


def test_a_larger_picture_of_the_same_face_is_near(embedder):
    image, detection = portrait()
    box = detection.box
    twice = Detection(Box(box.x * 2, box.y * 2, box.w * 2, box.h * 2), detection.score)
    large = cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    distance = np.linalg.norm(embedder.embed(image, [detection]) - embedder.embed(large, [twice]))
    assert distance < 0.2


@pytest.mark.parametrize(
    "box",
    [
        Box(-5000, -5000, 50, 60),
        Box(5000, 20, 50, 60),
        Box(20, 5000, 50, 60),
        Box(10, 10, 0, 0),
        Box(-40, -40, 80, 90),
        Box(380, 380, 80, 90),
        Box(0, 0, 1e7, 1e7),
        Box(200.4, 200.6, 0.3, 0.2),
    ],
)
def test_boxes_at_and_beyond_the_border(embedder, box):
    """Whatever the box, the answer is a row, and one that is no face matches nobody."""
    image, detection = portrait()
    rows = embedder.embed(image, [Detection(box, 0.9), detection])
    assert rows.shape == (2, DIMENSIONS)
    assert np.isfinite(rows[1]).all()
    gallery = GalleryIndex.build([("A", rows[1])])
    match = identify(rows, gallery, MatchPolicy())[0]
    if not np.isfinite(rows[0]).all():
        assert match.subject_id is None


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 1, 3), (1, 40, 3)])
def test_tiny_pictures(embedder, shape):
    image = np.zeros(shape, np.uint8)
    box = Detection(Box(0, 0, shape[1], shape[0]), 0.9)
    assert embedder.embed(image, [box]).shape == (1, DIMENSIONS)


def test_memory_of_a_large_picture_is_not_copied(embedder):
    """A read-only view of a 48-megapixel picture, a face in its corner."""
    image = np.broadcast_to(np.uint8(128), (6000, 8000, 3))
    assert embedder.embed(image, [Detection(Box(7900, 5900, 80, 90), 0.9)]).shape[0] == 1


# -- the face_recognition package, or its weights with dlib ------------------------------------


@pytest.fixture
def without_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "face_recognition", None)  # makes its import fail


def test_dlib_is_used_where_the_package_is_missing(without_package):
    assert FaceRecognitionDetector()._locate is dlib_faces._locate_with_dlib


def test_the_package_is_used_where_it_is_installed(monkeypatch):
    asked = []
    package = types.ModuleType("face_recognition")

    def face_locations(image, enlargements, model):
        asked.append((image.shape, enlargements, model))
        return [(10, 60, 70, 20)]  # top, right, bottom, left

    package.face_locations = face_locations
    monkeypatch.setitem(sys.modules, "face_recognition", package)
    (detection,) = FaceRecognitionDetector().detect(np.zeros((100, 100, 3), np.uint8))
    assert asked == [((100, 100, 3), 1, "hog")]
    assert detection.box == Box(20, 10, 40, 60)


def test_a_package_that_ends_the_program_does_not(monkeypatch, tmp_path):
    """face_recognition 1.3 calls quit() when its models package fails to import."""
    (tmp_path / "face_recognition.py").write_text("raise SystemExit\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "face_recognition", raising=False)
    assert FaceRecognitionDetector()._locate is dlib_faces._locate_with_dlib


def test_hog_finds_a_frontal_face_with_dlib_alone(without_package):
    image, detection = portrait()
    found = FaceRecognitionDetector("hog").detect(image)
    assert any(other.box.iou(detection.box) > 0.3 for other in found)


def test_large_pictures_are_scaled_and_boxes_scaled_back(monkeypatch, without_package):
    seen = []

    def locate(image, model):
        seen.append(image.shape[:2])
        return [(0, image.shape[1], image.shape[0], 0)]

    monkeypatch.setattr(dlib_faces, "_locate_with_dlib", locate)
    image = np.broadcast_to(np.uint8(0), (6000, 8000, 3))
    (detection,) = FaceRecognitionDetector("hog").detect(image)
    assert seen[0][0] * seen[0][1] <= dlib_faces._MOST_PIXELS["hog"]
    assert detection.box.rounded() == (0, 0, 8000, 6000)


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 1, 3), (2, 900, 3)])
def test_hog_survives_tiny_pictures(without_package, shape):
    assert FaceRecognitionDetector("hog").detect(np.zeros(shape, np.uint8)) == []


# -- real photographs, where they lie beside the project ---------------------------------------


def test_people_are_told_apart(embedder, shared_data):
    """Three people with four photos: named by the first three, the fourth gets its name."""
    detector = CenterFace()
    people = [p for p in sorted((shared_data / "lfw").iterdir()) if len(list(p.iterdir())) >= 4][:3]
    pairs, probes = [], []
    for person in people:
        rows = []
        for path in sorted(person.glob("*.jpg"))[:4]:
            image = cv2.imread(str(path))[..., ::-1].copy()
            middle = min(
                detector.detect(image), key=lambda d: abs(d.box.center[0] - 75) - 50 * d.score
            )
            rows.append(embedder.embed(image, [middle])[0])
        pairs += [(person.name, row) for row in rows[:3]]
        probes.append((person.name, rows[3]))
    gallery = GalleryIndex.build(pairs)
    names = [identify(row[None], gallery, MatchPolicy())[0].subject_id for _, row in probes]
    assert all(name in (person, None) for name, (person, _) in zip(names, probes, strict=True))
    assert sum(name is not None for name in names) >= 2
