"""Progress: what one sees of something that takes long: a bar on a terminal, nothing elsewhere."""

from tqdm import tqdm


def bar(steps, total=None, unit="step"):
    """The `steps` themselves, and a bar that is gone after the last one."""
    return tqdm(steps, total=total, unit=unit, leave=False, disable=None)
