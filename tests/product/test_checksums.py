"""Checksums of the manifest: names of algorithms, paths, what is checked and how often."""

from __future__ import annotations

import hashlib
import logging
import pickle
from pathlib import Path

import pytest

from sen2cor.errors import InputError
from sen2cor.product.checksums import MANIFEST_NAME, Checksums

CONTENT = b"0123456789"


def write(
    root: Path, name: str = "./a/b.jp2", algorithm: str = "MD5", digest: str | None = None,
    size: str = "10",
) -> Path:  # fmt: skip
    """Write a file and a manifest that lists it under some name."""
    path = root / "a" / "b.jp2"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(CONTENT)
    if digest is None:
        digest = hashlib.md5(CONTENT).hexdigest()
    (root / MANIFEST_NAME).write_text(
        '<x:XFDU xmlns:x="urn:ccsds:schema:xfdu:1"><dataObjectSection><dataObject>'
        f'<byteStream size="{size}"><fileLocation href="{name}"/>'
        f'<checksum checksumName="{algorithm}">{digest}</checksum></byteStream>'
        "</dataObject></dataObjectSection></x:XFDU>"
    )
    return path


@pytest.mark.parametrize(
    ("name", "algorithm"),
    [
        ("MD5", "md5"), ("md5", "md5"), ("SHA-1", "sha1"), ("SHA1", "sha1"),
        ("SHA-256", "sha256"), ("SHA2-256", "sha256"), ("SHA512", "sha512"),
        ("SHA3-256", "sha3_256"), ("sha3_512", "sha3_512"), ("BLAKE2b", "blake2b"),
    ],
)  # fmt: skip
def test_algorithms_by_the_names_that_products_use(
    tmp_path: Path, name: str, algorithm: str
) -> None:
    right = hashlib.new(algorithm, CONTENT).hexdigest()
    path = write(tmp_path, algorithm=name, digest=f"\n {right.upper()} ")
    Checksums.read(tmp_path).verify(path)
    wrong = hashlib.new(algorithm, b"x").hexdigest()
    path = write(tmp_path, algorithm=name, digest=wrong)
    with pytest.raises(InputError, match=r"the image of band B02 .*--no-checksums"):
        Checksums.read(tmp_path).verify(path, "image of band B02")


@pytest.mark.parametrize("name", ["./a/b.jp2", "a/b.jp2", ".\\a\\b.jp2", "a/%62.jp2", "a//b.jp2"])
def test_ways_to_write_a_path(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, name, digest="0" * 32)
    with pytest.raises(InputError, match=r"b\.jp2"):
        Checksums.read(tmp_path).verify(path)


@pytest.mark.parametrize("name", ["../a/b.jp2", "/etc/passwd", "./a/../../b", "..\\b"])
def test_path_out_of_the_product_is_refused(tmp_path: Path, name: str) -> None:
    write(tmp_path, name)
    with pytest.raises(InputError, match="out of the product"):
        Checksums.read(tmp_path)


def test_size_is_checked_without_reading(tmp_path: Path) -> None:
    path = write(tmp_path, size="11", digest="0" * 32)
    with pytest.raises(InputError, match=r"has 10 bytes, manifest\.safe says 11"):
        Checksums.read(tmp_path).verify_size(path)
    path = write(tmp_path, digest="0" * 32)
    Checksums.read(tmp_path).verify_size(path)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": "./another"}, "missing"),
        ({"digest": ""}, "missing"),
        ({"algorithm": "CRC-12"}, "CRC-12"),
        ({"algorithm": ""}, "unknown"),
    ],
)
def test_file_without_checksum_is_noted_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, changes: dict[str, str], says: str
) -> None:
    path = write(tmp_path, **changes)
    checksums = Checksums.read(tmp_path)
    with caplog.at_level(logging.WARNING, "sen2cor"):
        checksums.verify(path)
        checksums.verify(path)
    (message,) = [record.getMessage() for record in caplog.records]
    assert says in message and "b.jp2" in message


def test_a_file_is_read_once_also_after_the_way_to_another_process(tmp_path: Path) -> None:
    path = write(tmp_path)
    checksums = Checksums.read(tmp_path)
    checksums.verify(path)
    path.write_bytes(CONTENT[::-1])
    checksums.verify(path)
    pickle.loads(pickle.dumps(checksums)).verify(path)
    with pytest.raises(InputError):
        Checksums.read(tmp_path).verify(path)


def test_without_manifest_or_switched_off_nothing_is_checked(tmp_path: Path) -> None:
    path = write(tmp_path, digest="0" * 32)
    Checksums(tmp_path).verify(path)
    (tmp_path / MANIFEST_NAME).unlink()
    Checksums.read(tmp_path).verify(path)


@pytest.mark.parametrize("content", ["", "<XFDU", "<html/>", "\0" * 99])
def test_damaged_manifest_is_an_error(tmp_path: Path, content: str) -> None:
    (tmp_path / MANIFEST_NAME).write_text(content)
    with pytest.raises(InputError, match=r"manifest\.safe.*--no-checksums"):
        Checksums.read(tmp_path)
