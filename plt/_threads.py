"""Threads, where signals come at any moment."""

import threading


def start(thread: threading.Thread) -> None:
    """Start a thread; the exception of a signal's handler comes through as itself.

    The threading module waits until the thread runs.  Interrupted at the wrong moment of that, its
    own lock raises RuntimeError ("release unlocked lock") in place of the handler's exception.
    """
    try:
        thread.start()
    except RuntimeError as error:
        if error.__context__ is not None:
            raise error.__context__ from None
        raise
