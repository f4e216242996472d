"""The network on OpenVINO gives dlib's own vectors."""

import dlib
import numpy as np
import pytest

from mediaguard.errors import ModelError
from mediaguard.vision.dlib_network import SIDE, FaceNetwork
from mediaguard.vision.models import verified
from tests.vision.drawn import face


def chips() -> list[np.ndarray]:
    """A drawn face in several colours, noise, and the darkest and brightest pictures there are."""
    rng = np.random.default_rng(3)
    drawn = [face(108, skin)[:SIDE, :SIDE] for skin in ((224, 180, 150), (70, 45, 35))]
    noise = [rng.integers(0, 256, (SIDE, SIDE, 3), np.uint8) for _ in range(3)]
    flat = [np.full((SIDE, SIDE, 3), value, np.uint8) for value in (0, 255)]
    return [*drawn, *noise, *flat]


def test_its_vectors_are_those_of_dlib():
    path = verified("dlib-resnet")
    reference = dlib.face_recognition_model_v1(str(path))
    network = FaceNetwork(path, batch=1)
    for chip in chips():
        assert chip.shape == (SIDE, SIDE, 3)
        expected = np.asarray(reference.compute_face_descriptor(np.ascontiguousarray(chip)))
        # A hundred times finer than the thresholds are given.
        np.testing.assert_allclose(network.vectors(chip[None])[0], expected, atol=1e-4)


def test_a_batch_gives_what_single_faces_give():
    one, two = (FaceNetwork(verified("dlib-resnet"), batch) for batch in (1, 2))
    pair = np.stack(chips()[:2])
    together = two.vectors(pair)
    assert together.shape == (2, 128)
    for chip, vector in zip(pair, together, strict=True):
        np.testing.assert_allclose(one.vectors(chip[None])[0], vector, atol=1e-4)


@pytest.mark.parametrize("keep", [0, 1000, 22_000_000])
def test_a_file_without_the_whole_network_is_refused(tmp_path, keep: int):
    path = tmp_path / "part.dat"
    path.write_bytes(verified("dlib-resnet").read_bytes()[:keep])
    with pytest.raises(ModelError):
        FaceNetwork(path, batch=1)
