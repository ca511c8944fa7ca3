"""Figure 1-1: a generative model is trained on horses and makes new ones out of noise."""

import sys

import make_figures
import matplotlib as mpl
from latent_planes import trained
from style import BLUE, INK, ORANGE, caption, stages

from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.neighbours import nearest
from gdl_numpy.pictures.rasteriser import rasterise
from gdl_numpy.pictures.silhouettes import horse
from gdl_numpy.probability.mle import maximum_likelihood
from gdl_numpy.probability.normal_family import MixtureFamily, NormalFamily
from gdl_numpy.representation.principal_components import ProbabilisticPCAFamily

SIZE = (14, 8.3)
TRAINED = True                                              # an autoencoder, for this figure
TITLE = "A generative model: new horses out of noise"
ALT = ("From left to right: a training set of {n:,} silhouettes of running horses; a model, an "
       "autoencoder with {k} numbers a picture and a mixture of {components} normals over these "
       "codes, from which random codes are drawn; and new horses that it made, each above the "
       "training horse nearest to it. The nearest is {made:.3f} away per pixel in the median, for "
       "true new horses {held_out:.3f}: whole pictures are not copied.")
N, N_JUDGED, SIDE = 6000, 2000, 48                          # horses; pixels a side
HIDDEN, K, STEPS = (256, 64), 8, 4000                       # of the autoencoder
COMPONENTS, SHOWN = (1, 5, 20, 50, 100, 200), 8             # to choose from; new horses shown


def horses(n, rng):
    """Pictures (n, SIDE²) of horses of all builds in one quarter of the gait, black on white."""
    u = rng.random((n, 8))
    latent = 2 * u - 1
    latent[:, 0], latent[:, 1] = 0.45 + 0.55 * u[:, 0], u[:, 1]     # strides 65 ... 100 %
    parts = [1 - rasterise(horse(latent[i:i + 500]), SIDE) for i in range(0, n, 500)]
    return array_module(u).concatenate(parts).reshape(n, -1).astype("float32")


def told_apart(X, Y):
    """How often the nearest of all other rows is one of the same set: 1/2 if X and Y are alike.

    The two-sample test of Schilling (1986) and Henze (1988) with one neighbour; X and Y (n, d).
    """
    xp = array_module(X)
    both = xp.concatenate([X, Y])
    of_Y = xp.arange(len(both)) >= len(X)
    return (of_Y[nearest(both, both, 2)[1][:, 1]] == of_Y).mean()


def code_density(Z, Z_held_out, rng):
    """The mixture of normals under which held-out codes are most likely, as a triple: their mean
    log density, its number of components, and itself."""
    fits = []
    for n_components in COMPONENTS:
        family = MixtureFamily(n_components, K) if n_components > 1 else NormalFamily(K)
        method = "em" if n_components > 1 else "closed form"
        p_z = family(maximum_likelihood(family, Z, rng, method, tol=1e-4, max_steps=100))
        fits.append((float(p_z.log_prob(Z_held_out).mean()), n_components, p_z))
    return max(fits, key=lambda fit: fit[:2])


def compute(rng):
    X, validation, test = horses(N, rng), horses(N_JUDGED, rng), horses(N_JUDGED, rng)
    xp = array_module(X)
    autoencoder = trained(X, rng, (SIDE**2, *HIDDEN, K), STEPS)
    Z, Z_held_out = (autoencoder.encode(images).astype(float) for images in (X, validation))
    code_log_prob, components, p_z = code_density(Z, Z_held_out, rng)
    ppca = ProbabilisticPCAFamily(SIDE**2, K)
    ppca = ppca(ppca.mle(X.astype(float)))

    noise = p_z.sample(N_JUDGED, rng)
    made = autoencoder.decode(noise).clip(0, 1)
    by_planes = ppca.sample(N_JUDGED, rng).clip(0, 1).astype("float32")
    to_training, number = nearest(made, X)
    held_out, _ = nearest(test, X)
    numbers = {
        "n": N, "side": SIDE, "k": K, "components": components, "code_log_prob": code_log_prob,
        "made": xp.median(to_training) / SIDE, "held_out": xp.median(held_out) / SIDE,
        "closest": to_training.min() / SIDE, "closest_held_out": held_out.min() / SIDE,
        "told_apart": told_apart(test, made), "told_apart_ppca": told_apart(test, by_planes),
        "n_judged": N_JUDGED}
    pictures = {"training": X[:15], "made": made[:SHOWN], "nearest": X[number[:SHOWN, 0]]}
    return ({name: rows.reshape(-1, SIDE, SIDE) for name, rows in pictures.items()}
            | {"distance": to_training[:SHOWN, 0] / SIDE, "noise": noise[:SHOWN]}), numbers


def show(ax, picture, colour=None, **limits):
    ax.imshow(picture, cmap="gray", **({"vmin": 0, "vmax": 1} | limits))
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set(visible=colour is not None, color=colour, linewidth=2)


def draw(figure, arrays, numbers):
    caption(figure, f"Is it memory? The nearest training horse is {numbers['made']:.3f} away per "
            f"pixel in the median over {numbers['n_judged']:,} new horses (root mean square, "
            f"{numbers['closest']:.3f} at least),",
            f"and {numbers['held_out']:.3f} (at least {numbers['closest_held_out']:.3f}) for horses"
            " of the true rule that the model has not seen. Is it good? Asked of its nearest "
            "neighbour,",
            f"a new horse is told from a true one in {numbers['told_apart']:.0%} of all cases, 50%"
            f" being chance; one of probabilistic PCA with {numbers['k']} numbers in "
            f"{numbers['told_apart_ppca']:.0%}.",
            "The number of normals was chosen by the likelihood of held-out codes.")
    figure.suptitle(TITLE, x=0.01, ha="left", size=16, weight="bold")
    training, model, new = stages(figure, ["training data", "model", "new observations"],
                                  [3.4, 3, 5.4])
    for ax, picture in zip(training.subplots(5, 3).flat, arrays["training"], strict=True):
        show(ax, picture, "#CCCCCC")

    ax = model.add_axes((0.06, 0.42, 0.88, 0.42))
    ax.axis("off")
    ax.add_patch(mpl.patches.FancyBboxPatch((0.06, 0.06), 0.88, 0.88, boxstyle="round,pad=0.05",
                                            facecolor="#F4F4F4", edgecolor=INK, linewidth=1.5))
    ax.text(0.5, 0.5, "x = f(z),  z ~ $p_z$\n\nf: decoder of an autoencoder,\n"
            f"{numbers['k']} numbers for {numbers['side']**2:,} pixels\n\n$p_z$: mixture of "
            f"{numbers['components']} normals,\nfitted to the codes of\n{numbers['n']:,} horses",
            ha="center", va="center")
    noise = model.add_axes((0.33, 0.09, 0.34, 0.22))
    show(noise, arrays["noise"], INK, vmin=-2.5, vmax=2.5)
    noise.set_xlabel("random noise: codes z,\na row for each new horse")
    model.patches.append(mpl.patches.FancyArrowPatch(
        (0.5, 0.32), (0.5, 0.41), transform=model.transSubfigure, color=INK, arrowstyle="-|>",
        mutation_scale=26, linewidth=2.5))

    axes = new.subplots(4, SHOWN // 2)
    for i, (made, near) in enumerate(zip(arrays["made"], arrays["nearest"], strict=True)):
        row, column = divmod(i, SHOWN // 2)
        show(axes[2 * row, column], made, ORANGE)
        show(axes[2 * row + 1, column], near, BLUE)
        axes[2 * row + 1, column].set_xlabel(f"{arrays['distance'][i]:.3f} away")
    for row in (0, 2):
        axes[row, 0].set_ylabel("new")
        axes[row + 1, 0].set_ylabel("nearest in\nthe data")


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_01_horses"]))
