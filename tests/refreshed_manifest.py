"""Manifests that fit the files of products that a test has made or edited."""

from __future__ import annotations

from pathlib import Path

from lxml import etree

from sen2cor.product.checksums import MANIFEST_NAME, new_digest


def refresh_manifest(product: Path) -> None:
    """Write sizes and checksums of the files as they are now; what is gone is no longer listed.

    Nothing happens to a product without a manifest.
    """
    path = product / MANIFEST_NAME
    if not path.is_file():
        return
    document = etree.parse(str(path))
    for entry in list(document.iter("dataObject")):
        stream = entry.find("byteStream")
        file = product / stream.find("fileLocation").get("href")
        if not file.is_file():
            entry.getparent().remove(entry)
            continue
        content = file.read_bytes()
        checksum = stream.find("checksum")
        digest = new_digest(checksum.get("checksumName"))
        digest.update(content)
        stream.set("size", str(len(content)))
        checksum.text = digest.hexdigest()
    document.write(str(path), xml_declaration=True, encoding="UTF-8")


def write_manifest(product: Path) -> None:
    """Write a manifest that lists all files with their MD5."""
    root = etree.Element("{urn:ccsds:schema:xfdu:1}XFDU")
    for path in sorted(path for path in product.rglob("*") if path.is_file()):
        stream = etree.SubElement(etree.SubElement(root, "dataObject"), "byteStream")
        href = f"./{path.relative_to(product).as_posix()}"
        etree.SubElement(stream, "fileLocation", href=href)
        etree.SubElement(stream, "checksum", checksumName="MD5")
    etree.ElementTree(root).write(str(product / MANIFEST_NAME))
    refresh_manifest(product)
