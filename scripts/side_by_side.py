"""Side by side: tasks that do not wait for one another, in as many processes as there are cores.

Each process is started anew, takes one chain of tasks after another, and shares nothing with this
one but files. It hears nothing of Ctrl-C, which is for this one: this one then ends it, and lets it
remove what it had half written. It ends by itself when this one is gone.
"""

import _thread
import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from multiprocessing.connection import wait

PATIENCE = 5                                                # s: a step of a training takes less


def cores():
    """How many processor cores this process may use."""
    with contextlib.suppress(AttributeError):               # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def side_by_side(work, chains, jobs):
    """Yield (task, None) when a task begins, and (task, work(task)) when it is finished.

    Of a chain, a list of tasks, one follows another in the same process; `jobs` processes take the
    chains in their order. If one dies at a task, the result of that is a ChildProcessError, and
    another one takes the rest of the chain. After a second without news comes (None, None).
    """
    waiting, doing, processes = deque(chains), {}, {}
    try:
        while waiting or doing:
            free = [ours for ours in processes if ours not in doing]
            while waiting and len(doing) < jobs:
                ours = free.pop() if free else _started(work, processes)
                doing[ours] = deque(waiting.popleft())
                with contextlib.suppress(OSError):          # it is dead, which is found below
                    ours.send(list(doing[ours]))
                yield doing[ours][0], None
            heard = wait(list(doing), timeout=1)
            if not heard:
                yield None, None
            for ours in heard:
                chain = doing[ours]
                task = chain.popleft()
                try:
                    result = ours.recv()
                except (EOFError, OSError):
                    result = ChildProcessError(_obituary(processes.pop(ours)))
                    waiting.extendleft([chain] if chain else [])
                    chain = None
                if not chain:
                    del doing[ours]
                yield task, result
                if chain:
                    yield chain[0], None
    except BaseException:
        for process in processes.values():
            process.terminate()
        raise
    finally:
        for ours, process in processes.items():
            ours.close()                                    # no further chain
            process.join(PATIENCE)
            process.kill()


def _started(work, processes):
    """Start a process, and return this end of the pipe to it, under which it stands there."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(work, theirs))
    heard = signal.signal(signal.SIGINT, signal.SIG_IGN)    # it inherits that, from its first line
    try:
        process.start()
    finally:
        signal.signal(signal.SIGINT, heard)
    theirs.close()
    processes[ours] = process
    return ours


def _obituary(process):
    process.join(PATIENCE)
    code = process.exitcode
    return (f"its process was ended by signal {-code}" if code is not None and code < 0 else
            f"its process ended with status {code}")


def _serve(work, connection):
    """In the other process: do what is asked for, as long as somebody asks and listens."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))   # by way of every `finally`
    parent = multiprocessing.parent_process()
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    with contextlib.suppress(EOFError, OSError):
        while True:
            for task in connection.recv():
                connection.send(work(task))


def _end_with(parent):
    """Nobody wants what is done here any more once the parent is gone, however it went."""
    wait([parent.sentinel])
    _thread.interrupt_main(signal.SIGTERM)
