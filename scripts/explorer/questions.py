"""Questions: what a browser sends becomes the arguments of a function, and its answer JSON.

    /api/box/answer?theta=[0,0,9,9]&side=2      calls answer(theta=[0, 0, 9, 9], side=2) of box.py

Such a function takes plain numbers and names, asks the package, and gives a dictionary. What it is
given it does not look at: the package refuses what is wrong, and its message is the page's.
"""

import functools
import inspect
import json
import threading

import numpy as np


def answered_by(*functions):
    """Marks a question with the functions of the package that answer it."""
    def marked(question):
        question.sources = [source(function) for function in functions]
        return question
    return marked


def source(function):
    """The name of a function or class of the package, and where the book explains it."""
    module = function.__module__.removeprefix("gdl_numpy.")
    return {"name": f"{module.rpartition('.')[2]}.{function.__qualname__}",
            "link": f"/book/{module.replace('.', '/')}.html#{function.__qualname__}"}


def once(function):
    """`function()`, called by the first who asks; whoever asks meanwhile waits for it."""
    alone, remembered = threading.Lock(), functools.cache(function)

    @functools.wraps(function)
    def kept(*arguments):
        with alone:
            return remembered(*arguments)

    return kept


def arguments(question, texts):
    """The arguments of a question from its texts, JSON each; ValueError if they are none."""
    values = {name: value(text, name) for name, text in texts}
    if len(values) < len(texts):
        raise ValueError(f"each argument must be given once, got {', '.join(n for n, _ in texts)}")
    wanted = list(inspect.signature(question).parameters)
    if set(values) != set(wanted):
        raise ValueError(f"the arguments must be {' and '.join(wanted) or 'none'}, "
                         f"got {' and '.join(values) or 'none'}")
    return values


def value(text, name):
    def refused(constant):
        raise ValueError(constant)

    try:
        return json.loads(text, parse_constant=refused)
    except (ValueError, RecursionError):
        raise ValueError(f"{name} must be JSON, such as [1, 2.5] or \"box\", "
                         f"got {text!r:.80}") from None


def plain(thing):
    """A thing as JSON can hold it, to the last bit: arrays as lists, infinity as "inf"."""
    if isinstance(thing, dict):
        return {key: plain(value) for key, value in thing.items()}
    if isinstance(thing, list | tuple):
        return [plain(value) for value in thing]
    if isinstance(thing, np.ndarray):
        whole = thing.dtype.kind != "f" or np.isfinite(thing).all()
        return thing.tolist() if whole else plain(thing.tolist())
    if isinstance(thing, np.generic):
        return plain(thing.item())
    if isinstance(thing, float) and not np.isfinite(thing):
        return str(thing)
    return thing
