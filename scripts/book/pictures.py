"""Pictures: the figures as WebP, which is half as large as PNG and as sharp.

They are made in a process of their own, so that the pages can be made meanwhile.
"""

import contextlib
import io
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

from PIL import Image


def webp(path):
    """The bytes of a picture, no pixel of which has changed."""
    held = io.BytesIO()
    with Image.open(path) as picture:
        picture.save(held, "webp", lossless=True, quality=30, method=1)
    return held.getvalue()


@contextlib.contextmanager
def converted(paths):
    """An iterator over the pictures in the order of the `paths`, which another process makes."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as other:
        yield other.map(webp, paths)
