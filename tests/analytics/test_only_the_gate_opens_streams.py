"""Proof by reading: no product code but the gate can get at a camera's pictures, and none can recognise a face.

The walk looks at the syntax tree of every module that is shipped, so that a new file, a new import or an alias cannot
slip by. What it may find, and where, is written down here; the self-test shows that it would see a violation.
"""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLOORS = ("camvet", "reports", "analytics", "rules", "scanner")
MODULES = sorted(path for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))

ONLY_IN = {
    "CameraSource": {"analytics/gate.py"},
    "Stream": {"analytics/gate.py"},
    "Decoder": {"analytics/source.py"},
}
"""Classes, and the only modules that may name them outside an annotation (besides the one that defines them)."""
DEFINED_IN = {"CameraSource": "analytics/source.py", "Stream": "scanner/transport/stream.py",
              "Decoder": "analytics/decoder.py"}

NOWHERE = {
    # Each of these opens a file or a URL by itself.
    "cv2.VideoCapture", "cv2.videoio_registry", "av.open", "av.container", "imageio", "moviepy", "vlc", "gi", "ffmpeg",
    "decord", "torchvision.io",
    # Each of these finds, recognises or describes faces.
    "cv2.FaceRecognizerSF", "cv2.FaceDetectorYN", "cv2.face", "cv2.CascadeClassifier", "face_recognition", "dlib",
    "insightface", "deepface", "facenet_pytorch", "mediapipe", "retinaface", "mtcnn",
}
PROGRAMS = ("ffmpeg", "ffplay", "ffprobe", "gst-launch", "vlc", "mpv", "mplayer", "avconv")
STARTERS = ("subprocess", "multiprocessing", "os.system", "os.popen", "os.exec", "os.spawn", "os.posix_spawn", "pty")
PROCESSES = {"analytics/decoder.py"}
"""Where a process may be started at all on the floor of analytics."""


class Walk(ast.NodeVisitor):
    """Collects what a module imports and names, every name resolved through its imports."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.found: list[tuple[int, str]] = []
        self.texts: list[tuple[int, str]] = []
        self.called: set[str] = set()

    def visit_Import(self, node):
        for one in node.names:
            top = one.name.partition(".")[0]
            self.names[one.asname or top] = one.name if one.asname else top
            self.found.append((node.lineno, one.name))

    def visit_ImportFrom(self, node):
        for one in node.names:
            name = f"{node.module}.{one.name}"
            self.names[one.asname or one.name] = name
            if not name.startswith(FLOORS):                      # our own classes may be imported for annotations
                self.found.append((node.lineno, name))

    def visit_Attribute(self, node):
        name = self.resolved(node)
        if name is not None:
            self.found.append((node.lineno, name))
        self.generic_visit(node)

    def visit_Name(self, node):
        if node.id in self.names:
            self.found.append((node.lineno, self.names[node.id]))

    def visit_Call(self, node):
        self.called.add(self.resolved(node.func) or "")
        called = (self.resolved(node.func) or "").rpartition(".")[2]
        if called in ("getattr", "__import__", "import_module"):
            for word in node.args:
                if isinstance(word, ast.Constant) and isinstance(word.value, str):
                    owner = self.resolved(node.args[0]) if word is not node.args[0] else None
                    self.found.append((node.lineno, f"{owner}.{word.value}" if owner else word.value))
        self.generic_visit(node)

    def visit_Constant(self, node):
        if isinstance(node.value, str):
            self.texts.append((node.lineno, node.value))

    def visit_AnnAssign(self, node):
        if node.value is not None:
            self.visit(node.value)

    def visit_FunctionDef(self, node):
        for part in (*node.decorator_list, *node.args.defaults, *node.args.kw_defaults, *node.body):
            if part is not None:
                self.visit(part)

    def visit_AsyncFunctionDef(self, node):
        self.visit_FunctionDef(node)

    def resolved(self, node):
        """The dotted name of an attribute, with an import's own name at its beginning; ``None`` where it has none."""
        parts = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        return ".".join([self.names.get(node.id, node.id), *reversed(parts)])


def whole(name: str) -> str:
    """The dotted name of one of the classes of `ONLY_IN`."""
    return DEFINED_IN[name].removesuffix(".py").replace("/", ".") + f".{name}"


def violations(source: str, where: str) -> list[str]:
    """What a module at path `where` does that it must not, a line each."""
    tree = ast.parse(source)
    walk = Walk()
    walk.visit(tree)
    bad = []
    for line, name in walk.found:
        for opener, places in ONLY_IN.items():
            if name == whole(opener) and where not in {*places, DEFINED_IN[opener]}:
                bad.append(f"{where}:{line}: {opener} belongs to {', '.join(places)}")
        if any(name == banned or name.startswith(f"{banned}.") for banned in NOWHERE):
            bad.append(f"{where}:{line}: {name}")
        if where.startswith("analytics/") and where not in PROCESSES and name.startswith(STARTERS):
            bad.append(f"{where}:{line}: starts a process")
    for line, text in walk.texts:
        word = text.partition(" ")[0].rpartition("/")[2]
        if word in PROGRAMS:
            bad.append(f"{where}:{line}: names {word}")
    return bad


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_gets_at_pictures_past_the_gate(path):
    assert violations(path.read_text(), path.relative_to(ROOT).as_posix()) == []


def test_the_walk_sees_every_floor_and_the_gate_itself():
    seen = {path.relative_to(ROOT).as_posix() for path in MODULES}
    assert seen >= {"analytics/gate.py", "analytics/source.py", "analytics/decoder.py", "scanner/transport/stream.py",
                    "camvet/cli/__init__.py", "rules/dsse.py", "reports/report.py"}
    calls = {name: set() for name in ONLY_IN}
    for path in MODULES:
        walk = Walk()
        walk.visit(ast.parse(path.read_text()))
        for name in ONLY_IN:
            if whole(name) in walk.called:
                calls[name].add(path.relative_to(ROOT).as_posix())
    assert calls == ONLY_IN


@pytest.mark.parametrize("source", [
    "from analytics.source import CameraSource\nCameraSource(1)",
    "from analytics.source import CameraSource as C\nx = C",
    "import analytics.source\nanalytics.source.CameraSource(1)",
    "import analytics.source as s\ns.CameraSource(1)",
    "from analytics import source\nsource.CameraSource(1)",
    "from analytics import source\ngetattr(source, 'CameraSource')(1)",
    "from scanner.transport.stream import Stream\nwith Stream('a', '/'): pass",
    "from scanner.transport import stream\nstream.Stream('a', '/')",
    "from analytics.decoder import Decoder\nclass Mine(Decoder): pass",
    "from analytics.decoder import Decoder\ndef f(make=Decoder): pass",
    "import cv2\ncv2.VideoCapture('rtsp://x')",
    "import cv2 as c\nc.VideoCapture(0)",
    "from cv2 import VideoCapture",
    "import cv2\ngetattr(cv2, 'VideoCapture')(0)",
    "import av\nav.open('rtsp://x')",
    "from av import open as o\no('x')",
    "from av.container import InputContainer",
    "import subprocess\nsubprocess.run(['ffmpeg', '-i', 'rtsp://x'])",
    "import os\nos.system('/usr/bin/ffmpeg -i rtsp://x')",
    "import cv2\ncv2.FaceRecognizerSF.create('m', '')",
    "import cv2\ncv2.face.LBPHFaceRecognizer_create()",
    "from cv2 import FaceDetectorYN",
    "import face_recognition",
    "import dlib",
    "from insightface.app import FaceAnalysis",
    "def f():\n    from deepface import DeepFace",
    "import importlib\nimportlib.import_module('face_recognition')",
    "__import__('dlib')",
])
def test_the_walk_would_see_a_violation(source):
    assert violations(source, "analytics/apps/mine.py") != []


@pytest.mark.parametrize("source", [
    "from analytics.source import CameraSource\ndef f(source: CameraSource) -> None: pass",
    "import cv2\ncv2.resize(1, (2, 3))",
    "import av\nav.CodecContext.create('h264', 'r')",
    "import asyncio\nasync def f(r: asyncio.StreamReader): pass",
    "from analytics.decoder import DecoderError",
    "'the decoder is not FFmpeg, which follows redirects'",
])
def test_the_walk_lets_honest_code_pass(source):
    assert violations(source, "analytics/apps/mine.py") == []
