"""What can be named in the configuration, and what is built for it."""

from collections.abc import Callable, Mapping
from pathlib import Path

from mediaguard.core.ports import Detector, Embedder
from mediaguard.vision.centerface import VERIFY_CLIP_STRICTER, VERIFY_STRICTER, CenterFace
from mediaguard.vision.dlib_faces import DlibEmbedder, FaceRecognitionDetector
from mediaguard.vision.yunet import YuNet

DETECTORS: Mapping[str, Callable[[Path], Detector]] = {
    "centerface": lambda _: CenterFace(),
    "face_recognition_hog": lambda _: FaceRecognitionDetector("hog"),
    "face_recognition_cnn": lambda _: FaceRecognitionDetector("cnn"),
    "yunet": YuNet,
}
"""Name → from the home's folder of drop-in models to the detector."""

VERIFIERS: Mapping[str, Callable[[Path], Detector]] = {
    **DETECTORS,
    "centerface": lambda _: CenterFace(stricter=VERIFY_STRICTER),
}
"""The same for searching a rendition, where encoding has moved the scores a little."""

CLIP_DETECTORS: Mapping[str, Callable[[Path], Detector]] = {
    **DETECTORS,
    "centerface": lambda _: CenterFace(enlarge=False),
}
"""The same for the frames of a clip."""

CLIP_VERIFIERS: Mapping[str, Callable[[Path], Detector]] = {
    **CLIP_DETECTORS,
    "centerface": lambda _: CenterFace(stricter=VERIFY_CLIP_STRICTER, enlarge=False),
}
"""The same for searching a clip that came out."""

EMBEDDERS: Mapping[str, Callable[[], Embedder]] = {"dlib": DlibEmbedder}
