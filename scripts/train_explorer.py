"""Train what the pages of explore.py need and nobody wants to wait for: a minute or two.

    OMP_NUM_THREADS=1 python scripts/train_explorer.py
    python scripts/train_explorer.py --only tins --output trial

It writes tins.npz, continents.npz and mixture.npz to figures/parameters/, where the committed ones
are: an autoencoder of biscuit tins, and, of the scoreboard's first training set, a classifier of
continents and the mixture, each from the same random numbers in every run.
"""

import sys
import time

import command
from explorer.learned import LEARNED
from recipes import PARAMETERS

from gdl_numpy.networks.storage import save
from gdl_numpy.numerics.memory import keep_freed_memory


def main(arguments=None):
    parser = command.Parser(__doc__, epilog="Files of these names are overwritten, the committed "
                            "ones without --output.")
    parser.add_argument("--only", nargs="+", choices=list(LEARNED), metavar="NAME",
                        help="models to train; all if none is named")
    parser.add_argument("--output", type=command.folder, default=PARAMETERS, metavar="DIR",
                        help="where the files are written")
    options = parser.parse_args(arguments)
    names = options.only or list(LEARNED)
    parser.folder(options.output, *(f"{name}.npz" for name in names))
    keep_freed_memory()                                     # training is faster with it
    for name in names:
        start, learned = time.perf_counter(), LEARNED[name]
        save(options.output / f"{name}.npz", learned.family, learned.train())
        print(f"{name}: {learned.family.n_parameters:,} parameters in "
              f"{time.perf_counter() - start:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
