"""Ahead: what takes long and needs nothing else is computed by a second process meanwhile.

    with Ahead() as ahead:
        ahead.ask(lexed, texts)             # the process begins
        ...
        ahead.get(lexed, text)              # its answer

What the other process has not begun when it is needed is computed here, so that both are busy to
the end.
"""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor


class Ahead:
    """Answers of functions of one argument, by (function, argument)."""

    def __init__(self):
        self.process, self.answers = None, {}

    def __enter__(self):
        self.process = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
        return self

    def __exit__(self, *error):
        self.process.shutdown(cancel_futures=True)
        self.process = None

    def ask(self, function, arguments):
        """Let the other process compute function(argument) for each, in this order."""
        if self.process is not None:
            for argument in arguments:
                self.answers[function, argument] = self.process.submit(function, argument)

    def get(self, function, argument):
        answer = self.answers.pop((function, argument), None)
        return function(argument) if answer is None or answer.cancel() else answer.result()
