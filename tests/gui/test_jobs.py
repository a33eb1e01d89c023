"""The job runner: newest wins, stale answers are dropped, nothing outlives it."""

import threading
import time

import pytest
from gui_fakes import SlowJob

from spectrogen_app.errors import SpectrogenError
from spectrogen_app.gui.jobs import JobRunner


@pytest.fixture
def runner():
    made = JobRunner("test")
    yield made
    assert made.close()


def test_answer_arrives_in_the_gui_thread(runner, qtbot):
    seen = []
    runner.submit(
        lambda request, _token: (request, threading.current_thread().name), 7, "Seven",
        on_done=lambda answer: seen.append((answer, threading.current_thread())),
    )  # fmt: skip
    qtbot.waitUntil(lambda: bool(seen))
    assert seen == [((7, "job-test"), threading.main_thread())]
    assert not runner.busy


def test_newest_request_wins_and_the_stale_answer_is_dropped(runner, qtbot):
    slow, seen = SlowJob(), []
    runner.submit(slow, "old", "Old", on_done=seen.append)
    assert slow.running.wait(5)
    runner.submit(lambda request, _token: request, "new", "New", on_done=seen.append)
    qtbot.waitUntil(lambda: bool(seen))
    assert slow.ended.is_set()
    assert seen == ["new"]


def test_a_finished_answer_that_became_stale_in_the_queue_is_dropped(runner, qtbot):
    done, seen = threading.Event(), []

    def job(request, _token):
        done.set()
        return request

    runner.submit(job, "old", "Old", on_done=seen.append)
    assert done.wait(5)
    time.sleep(0.02)
    runner.submit(job, "new", "New", on_done=seen.append)
    qtbot.waitUntil(lambda: not runner.busy)
    assert seen == ["new"]


def test_cancel_stops_the_job_and_becomes_idle(runner, qtbot):
    slow, seen = SlowJob(), []
    runner.submit(slow, 1, "Slow", on_done=seen.append)
    assert slow.running.wait(5)
    with qtbot.waitSignal(runner.idle):
        runner.cancel()
    assert slow.ended.wait(5)
    qtbot.wait(30)
    assert seen == []
    assert not runner.busy


def test_progress_is_told_at_most_twenty_times_a_second(runner, qtbot):
    told, seen = [], []
    runner.progress.connect(lambda fraction, _text: told.append(fraction))

    def job(_request, token):
        started = time.monotonic()
        while time.monotonic() - started < 0.4:
            token.check(0.5, "much")
        return True

    runner.submit(job, None, "Chatty", on_done=seen.append)
    qtbot.waitUntil(lambda: bool(seen))
    assert 2 <= len(told) <= 9


def test_errors_arrive_as_signals_and_unexpected_ones_are_named(runner, qtbot, caplog):
    def refuses(_request, _token):
        raise SpectrogenError("No.", hint="Try yes.")

    with qtbot.waitSignal(runner.failed) as caught:
        runner.submit(refuses, None, "Refusal")
    assert caught.args[0].hint == "Try yes."
    with qtbot.waitSignal(runner.failed) as caught:
        runner.submit(lambda *_: 1 / 0, None, "Division")
    assert "ZeroDivisionError" in caught.args[0].message
    assert "Division" in caught.args[0].message
    assert "ZeroDivisionError" in caplog.text


def test_a_queueing_runner_answers_every_request_in_order(qtbot):
    runner = JobRunner("queue", queueing=True)
    seen = []
    for number in range(20):
        runner.submit(lambda request, _token: request, number, "Count", on_done=seen.append)
    qtbot.waitUntil(lambda: len(seen) == 20)
    assert seen == list(range(20))
    assert runner.close()


def test_parts_arrive_before_the_answer(runner, qtbot):
    seen = []

    def job(request, _token, deliver):
        for part in range(request):
            deliver(part)
        return "end"

    runner.submit(job, 3, "Parts", on_done=seen.append, on_partial=seen.append)
    qtbot.waitUntil(lambda: "end" in seen)
    assert seen == [0, 1, 2, "end"]


def test_close_ends_a_running_job(qtbot):
    runner, slow = JobRunner("closing"), SlowJob()
    runner.submit(slow, 1, "Slow")
    assert slow.running.wait(5)
    started = time.monotonic()
    assert runner.close()
    assert time.monotonic() - started < 2
    assert slow.ended.is_set()
