"""Pictures: the figures as WebP, which is half as large as PNG and as sharp."""

import io

from PIL import Image


def webp(path):
    """The bytes of a picture, no pixel of which has changed."""
    held = io.BytesIO()
    with Image.open(path) as picture:
        picture.save(held, "webp", lossless=True, quality=30, method=1)
    return held.getvalue()
