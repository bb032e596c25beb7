"""Signals are noted, obeyed at checks, and forgotten afterwards."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from sen2cor import cli, interruption
from sen2cor.interruption import Interrupted
from sen2cor.pipeline.execution.workers import start_workers


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_waits_for_a_check(number: int, code: int) -> None:
    before = signal.getsignal(number)
    with interruption.catch_signals():
        interruption.check()
        os.kill(os.getpid(), number)
        with pytest.raises(Interrupted) as stopped:
            interruption.check()
    assert stopped.value.exit_code == code
    assert signal.getsignal(number) == before
    interruption.check()


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interruption.catch_signals():
            os.kill(os.getpid(), signal.SIGHUP)
            interruption.check()
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_second_signal_stops_at_once() -> None:
    with pytest.raises(Interrupted), interruption.catch_signals():
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
        raise AssertionError("went on")


def test_a_run_in_another_thread_does_not_forget_what_was_noted() -> None:
    def listen() -> None:
        with interruption.catch_signals():
            pass

    with pytest.raises(Interrupted), interruption.catch_signals():
        os.kill(os.getpid(), signal.SIGTERM)
        other = threading.Thread(target=listen)
        other.start()
        other.join()
        interruption.check()


def test_threads_are_waited_for_but_no_longer_than_to_their_next_check() -> None:
    ended = threading.Event()

    def work(number: int) -> None:
        if number == 0:
            os.kill(os.getpid(), signal.SIGINT)
        try:
            while True:
                time.sleep(0.01)
                interruption.check()
        finally:
            ended.set()

    with pytest.raises(Interrupted), interruption.catch_signals(), start_workers(2) as pool:
        pool.map(work, range(4))
    assert ended.is_set()


def test_other_threads_can_run_the_command_without_handlers() -> None:
    before = signal.getsignal(signal.SIGINT)
    seen = []

    def listen() -> None:
        with interruption.catch_signals():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert seen == [before]


def test_signals_at_the_very_end_do_not_make_a_finished_run_look_killed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cli, "main", lambda: 0)
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        assert cli.entry_point() == 0
        for number in numbers:
            os.kill(os.getpid(), number)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
