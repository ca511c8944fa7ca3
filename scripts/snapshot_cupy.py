"""Snapshot of CuPy's names: what tests/cupy_names.json holds, read from an installed CuPy.

CI has no GPU and does not install CuPy (it is 290 MB). The tests need only its names and their
parameters, so this script writes those down, one name a line, and the file is committed:

    python scripts/snapshot_cupy.py        CuPy must be installed; a GPU is not needed

    "sum": "a, axis=None, dtype=None, ..."     the parameters, as in a lambda; `...` for a default
                                               that is not a plain literal
    "add.at", "linalg.inv"                     methods of a ufunc and functions of a submodule
    "ndarray.sum", "random.Generator.random"   methods, `self` first
    "pi": "numpy"                              the very object that NumPy has
    "mgrid": null                              exists; its parameters are unknown

Only names that NumPy has too are kept, and `asnumpy`. A ufunc's methods are kept where they work:
`cupy.maximum.reduce` is there, but raises NotImplementedError. The committed file is overwritten.
"""

import ast
import inspect
import json
import sys
from pathlib import Path
from types import ModuleType

import command
import numpy
from files import write_text

OUTPUT = Path(__file__).resolve().parent.parent / "tests" / "cupy_names.json"


class Probe:
    """Takes the place of an array when a ufunc is asked which reductions it has."""

    def sum(self, *args):
        return None

    prod = cumsum = cumprod = _add_reduceat = sum


def plain(parameter):
    """`name`, `name=default`, `*name` or `**name`, without annotation."""
    prefix = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
    if parameter.default is parameter.empty:
        return prefix + parameter.name
    literal = parameter.default is None or isinstance(parameter.default, bool | int | float | str)
    return f"{parameter.name}={parameter.default!r}" if literal else f"{parameter.name}=..."


def written(signature):
    """The parameters of `signature` as text, with the markers `/` and `*`."""
    text, kinds = [], [p.kind for p in signature.parameters.values()]
    for i, parameter in enumerate(signature.parameters.values()):
        if parameter.kind == parameter.KEYWORD_ONLY and not any(
                kind in (parameter.VAR_POSITIONAL, parameter.KEYWORD_ONLY) for kind in kinds[:i]):
            text.append("*")
        text.append(plain(parameter))
        if parameter.kind == parameter.POSITIONAL_ONLY and (
                parameter.POSITIONAL_ONLY not in kinds[i + 1:]):
            text.append("/")
    return ", ".join(text)


def from_docstring(function):
    """The parameters in the first line of a docstring, `_base.all(self, int axis=-1) -> _base`.

    Compiled methods have no signature that `inspect` can read, but Cython writes it there, with C
    types before the names. None if the line does not read as parameters.
    """
    head, _, tail = (function.__doc__ or "").partition("\n")[0].partition("(")
    words = tail.rpartition(")")[0].split(", ")
    text = ", ".join(word.rpartition(" ")[2] for word in words)
    try:
        ast.parse(f"lambda {text}: None")
    except SyntaxError:
        return None
    return text if head else None


def parameters(function):
    try:
        return written(inspect.signature(function))
    except (TypeError, ValueError):
        return from_docstring(function)


def ufunc_parameters(ufunc):
    inputs = [f"x{i + 1}" for i in range(ufunc.nin)] if ufunc.nin > 1 else ["x"]
    outputs = [f"out{i + 1}=None" for i in range(ufunc.nout)] if ufunc.nout > 1 else []
    out = ["/", "out=None", "*"] if not outputs else ["/", "*", "out=None"]
    return ", ".join(inputs + outputs + out + ["casting='same_kind'", "dtype=None"])


def ufunc_methods(ufunc):
    """The methods of `ufunc` that compute, name -> parameters, without self."""
    works = {"at": ufunc._scatter_op is not None, "outer": ufunc.nin == 2}
    for name, arguments in {"reduce": (), "accumulate": (), "reduceat": ([0],)}.items():
        try:
            getattr(ufunc, name)(Probe(), *arguments)
            works[name] = True
        except NotImplementedError:
            works[name] = False
    return {name: parameters(getattr(type(ufunc), name)).removeprefix("self, ")
            for name in works if works[name]}


def snapshot(cupy):
    """The dictionary that cupy_names.json holds."""
    names = {"asnumpy": parameters(cupy.asnumpy)}
    sources = {"": (cupy, numpy),
               "linalg.": (cupy.linalg, numpy.linalg),
               "random.": (cupy.random, numpy.random),
               "random.Generator.": (cupy.random.Generator, numpy.random.Generator),
               "ndarray.": (cupy.ndarray, numpy.ndarray)}
    for prefix, (here, there) in sources.items():
        for name in (n for n in dir(here) if not n.startswith("_") and hasattr(there, n)):
            value = getattr(here, name)
            if isinstance(value, ModuleType) or inspect.isgetsetdescriptor(value):
                continue
            if value is getattr(there, name):
                names[prefix + name] = "numpy"
            elif isinstance(value, cupy.ufunc):
                names[prefix + name] = ufunc_parameters(value)
                for method, text in ufunc_methods(value).items():
                    names[f"{prefix}{name}.{method}"] = text
            else:
                names[prefix + name] = parameters(value) if callable(value) else None
    return {"version": cupy.__version__, "names": names}


def main(arguments=None):
    parser = command.Parser(__doc__)
    parser.parse_args(arguments)
    try:
        import cupy
    except ImportError:
        print("snapshot_cupy.py reads an installed CuPy, and there is none: "
              "pip install cupy-cuda12x", file=sys.stderr)
        return 2
    parser.files(OUTPUT)
    write_text(OUTPUT, json.dumps(snapshot(cupy), indent=1, sort_keys=True) + "\n")
    print(f"CuPy {cupy.__version__} -> {OUTPUT}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
