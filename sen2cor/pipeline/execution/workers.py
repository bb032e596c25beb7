"""Threads of a tile, over bands and blocks of rows.

numpy and the codec release the interpreter lock while they work, so threads share the decoded
pixels and keep every core busy. The codec uses several threads per image: at the end of a step,
when fewer images than cores are left, these use the idle cores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TypeVar

from sen2cor import interruption
from sen2cor.imagery import jpeg2000
from sen2cor.pipeline.execution import available_resources

Item = TypeVar("Item")
Result = TypeVar("Result")

CODEC_THREADS = 8
"""Maximum for one image: all images together must not exceed the thread limit of the system."""


class Workers:
    """A pool of threads.

    Parameters
    ----------
    threads : int
        Number of threads; at least 1.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="sen2cor")

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """Call a function on all items in parallel; the first error cancels the rest.

        Items start in their order, so put the costly ones first. The function must not call `map`
        itself: its thread would wait for the others and, with a single thread, for itself.

        Raises
        ------
        Interrupted
            A signal asked the run to stop.
        """
        futures = [self._pool.submit(function, item) for item in items]
        waiting = set(futures)
        failed: list[Future[Result]] = []
        while waiting and not failed:
            interruption.check()
            done, waiting = wait(waiting, interruption.POLL, FIRST_EXCEPTION)
            failed = [future for future in done if future.exception() is not None]
        if failed:
            for future in waiting:
                future.cancel()
            wait(waiting)
        return [future.result() for future in failed or futures]

    def close(self) -> None:
        """Wait for the threads to end."""
        self._pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def start_workers(threads: int | None = None) -> Iterator[Workers]:
    """Start a pool of threads, by default one per core that this process may use."""
    available_resources.return_large_blocks()
    pool = Workers(threads or available_resources.count_cores())
    jpeg2000.set_threads(min(pool.threads, CODEC_THREADS))
    try:
        yield pool
    finally:
        pool.close()
