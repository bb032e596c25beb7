"""Common base of the image writers: interface, coding, count of rows, errors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from sen2cor import interruption
from sen2cor.errors import InputError, OutputError
from sen2cor.raster.array_types import Pixels
from sen2cor.raster.grids import BLOCK_ROWS, Grid, row_blocks


@dataclass(frozen=True)
class Coding:
    """How a lossless image is coded; its pixels do not depend on it.

    Attributes
    ----------
    arithmetic_bypass : bool
        JPEG 2000: whether the lower bit planes bypass the arithmetic coder (bit 0 of the
        code-block style, ISO/IEC 15444-1, annex D.6). Noisy images take a third less time to write
        and to read, and as many bytes; smooth images and class maps grow.
    compression_level : int
        Cloud-Optimized GeoTIFF: 1 (fast) to 9 (small).
    """

    arithmetic_bypass: bool = False
    compression_level: int = 1


class ImageWriter(ABC):
    """Writes one lossless image, row by row from top to bottom; a context manager.

    ``observe``, if set, receives the index of the first row and the rows of each block.

    The file appears under its name when all rows are written. Until then there are only ``.part``
    files, which are removed after an error. Several images may be written at once in threads.

    Parameters
    ----------
    path : Path
    grid : Grid
        Size and georeference.

    Raises
    ------
    OutputError
        The file cannot be written.
    """

    def __init__(self, path: Path, grid: Grid) -> None:
        self.path = path
        self._grid = grid
        self._received = 0
        self.observe: Callable[[int, Pixels], object] | None = None

    def __enter__(self) -> ImageWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._check_complete()
                self._finish()
        except (OSError, RuntimeError) as failure:
            raise unwritable(self.path, failure) from failure
        finally:
            self._discard()

    def blocks(self, height: int = BLOCK_ROWS) -> list[slice]:
        """Return the rows of the image, in the order in which to write them."""
        return row_blocks(self._grid.rows, height)

    def write_rows(self, rows: Pixels) -> None:
        """Append rows.

        Parameters
        ----------
        rows : ndarray of the image's dtype, shape (any, cols) or (any, cols, components)
        """
        interruption.check()
        if self._received + len(rows) > self._grid.rows:
            raise ValueError(f"more than {self._grid.rows} rows for {self.path.name}")
        try:
            self._append(rows)
        except (OSError, RuntimeError) as failure:
            raise unwritable(self.path, failure) from failure
        if self.observe is not None:
            self.observe(self._received, rows)
        self._received += len(rows)

    def _check_complete(self) -> None:
        if self._received != self._grid.rows:
            raise ValueError(
                f"{self._received} of {self._grid.rows} rows written to {self.path.name}"
            )

    @abstractmethod
    def _append(self, rows: Pixels) -> None:
        """Write rows to the unfinished file."""

    @abstractmethod
    def _finish(self) -> None:
        """Complete the file and rename it."""

    @abstractmethod
    def _discard(self) -> None:
        """Remove the unfinished files."""


class WindowWriter:
    """Writes a part of an image; a context manager, used as an `ImageWriter` of the whole image.

    Parameters
    ----------
    writer : ImageWriter
        Of the part.
    rows, cols : slice
        Of the whole image.
    """

    def __init__(self, writer: ImageWriter, rows: slice, cols: slice) -> None:
        self._writer = writer
        self._rows = rows
        self._cols = cols

    def __enter__(self) -> WindowWriter:
        self._writer.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.__exit__(kind, error, trace)

    def blocks(self, height: int = BLOCK_ROWS) -> list[slice]:
        """Return the rows of the whole image that are needed."""
        first = self._rows.start
        return [
            slice(first + block.start, first + block.stop) for block in self._writer.blocks(height)
        ]

    def write_rows(self, rows: Pixels) -> None:
        """Append rows of the whole image."""
        self._writer.write_rows(rows[:, self._cols])


def unwritable(path: Path, error: Exception) -> OutputError:
    """Make the error for an image that cannot be written."""
    return OutputError(f"{path}: cannot write ({_reason(error)}); check free space and permissions")


def unreadable(path: Path, error: Exception) -> InputError:
    """Make the error for an image that cannot be read."""
    return InputError(
        f"{path}: not a readable image ({_reason(error)}); download the product again"
    )


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
