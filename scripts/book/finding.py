"""Finding: what the search of the book looks through, without a server.

Each entry has a kind, a title, a line below it, and an address. The page finds an entry if all
words of the question stand in it; which come first, static/book.js says (`hits`).
"""

import json
import re

from book.prose import blocks

ALSO = {"variational_autoencoder": "VAE", "adversarial": "GAN", "principal_components": "PCA, PPCA",
        "expectation_maximization": "EM", "mle": "MLE", "kernel_density": "KDE, Parzen window",
        "network": "MLP, multilayer perceptron", "optimizer": "Adam, gradient descent",
        "diffusion": "DDPM", "energy_based": "EBM", "rational_quadratic": "spline"}


def index_of(house, tested):
    """The entries, in the order in which equally good ones are shown."""
    entries = []
    for module in house.modules:
        entries.append(["module", module.concept,
                        " · ".join(filter(None, [module.chinese, module.symbol, module.subtitle,
                                                 module.stem, ALSO.get(module.stem)])),
                        module.url])
    for name, (stated, right) in house.errata.items():
        entries.append(["erratum", name, f"{stated}: {right}", f"errata.html#{name}"])
    for figure in house.figures.values():
        entries.append(["figure", figure.title, f"{figure.word}. {figure.alt}",
                        f"gallery.html#{figure.name}"])
    for module in house.modules:
        for found in module.definitions:
            if found.public and not found.short.startswith("__"):
                entries.append(["name", found.name, first_sentence(found.doc) or module.concept,
                                f"{module.url}#{found.name}"])
            entries += [["name", name, module.concept, f"{module.url}#{name}"]
                        for name in found.names if not name.startswith("_")]
    for module in house.modules:
        entries += [["text", module.concept, plain(sentence), module.url + anchor]
                    for sentence, anchor in sentences(module)]
    for file in tested.all_files:
        entries += [["test", test.sentence, file.path.stem, test.url] for test in file.tests]
    return entries


def script(entries):
    """A file that a page can load from a disk, where it may not read data."""
    return f"window.BOOK = {json.dumps(entries, ensure_ascii=False, separators=(',', ':'))};\n"


def first_sentence(doc):
    return plain(" ".join(re.split(r"(?<=[.;:])\s", doc.partition("\n\n")[0], maxsplit=1)[:1]))


def sentences(module):
    """The sentences of a header, each with the place of its paragraph."""
    for number, block in enumerate(blocks(module.doc)[1:], 2):
        if block.kind == "paragraph":
            for sentence in re.split(r"(?<=[.?!])\s+(?=[A-Z])", " ".join(block.lines)):
                yield sentence, f"#block-{number}"


def plain(text):
    return " ".join(text.replace("`", "").replace("**", "").split())
