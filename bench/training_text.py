"""Large real text for the training of tokenizers: the sources of Linux 6.1, GCC 12 and binutils with their documentation, from Debian packages that are unpacked and
not installed. Files in the order of a hash of their names, so that every part is a mixture, and new words keep coming as in any text.
"""

import hashlib
import pathlib
import subprocess
import tarfile
import tempfile

PACKAGES = ("linux-source-6.1", "gcc-12-source", "binutils-source")
PART_BYTES = 100_000_000
WANTED_BYTES = 2_000_000_000


def archives(folder):
    """Downloads and unpacks what is missing; returns the source archives."""
    for package in PACKAGES:
        if not list(folder.glob(f"{package}_*.deb")):
            subprocess.run(["apt-get", "download", "-qq", package], cwd=folder, check=True)
        if not (folder / package).is_dir():
            subprocess.run(["dpkg-deb", "-x", str(next(folder.glob(f"{package}_*.deb"))), package], cwd=folder, check=True)
    return sorted(path for package in PACKAGES for path in (folder / package).rglob("*.tar.*") if path.stat().st_size > 10_000_000)


def files_of(archive):
    with tarfile.open(archive, mode="r|*") as tar:
        for member in tar:
            if member.isfile() and 0 < member.size < 20_000_000:
                data = tar.extractfile(member).read()
                if b"\0" not in data:
                    yield member.name, data


def is_text(data):
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def parts(folder):
    """Returns files of 100 MB of text each, 2 GB together if the packages hold as much; makes them the first time."""
    folder = pathlib.Path(folder).resolve()
    done = folder / "text"
    if not done.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as work:
            buckets = [open(f"{work}/{i:02}.txt", "wb") for i in range(WANTED_BYTES // PART_BYTES)]
            for archive in archives(folder):
                for name, data in files_of(archive):
                    first = int(hashlib.sha1(name.encode()).hexdigest(), 16)
                    turns = (buckets[(first + i) % len(buckets)] for i in range(len(buckets)))
                    bucket = next((b for b in turns if b.tell() + len(data) <= PART_BYTES), None)
                    if bucket and is_text(data):
                        bucket.write(data)
            for bucket in buckets:
                bucket.close()
            pathlib.Path(work).rename(done)
            pathlib.Path(work).mkdir()
    return sorted(done.glob("*.txt"))
