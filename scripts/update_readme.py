"""Write into the README the numbers that scripts have measured: `python scripts/update_readme.py`.

Between the lines `<!-- NAME -->` and `<!-- end -->` stands what the function `NAME` below makes of
the files manifest, encoders, scoreboard, faces and benchmark_*, all .json, of figures/; a test sees
that it is up to date.
"""

import json
import re
import textwrap
from pathlib import Path

from compare_faces import MIXTURE, VAE
from scoreboard import kl_in_words

ROOT = Path(__file__).parent.parent


def load(name):
    return json.loads((ROOT / "figures" / name).read_text(encoding="utf-8"))


def densities():
    """The models of figure_1_06_densities with their numbers."""
    numbers = load("manifest.json")["figure_1_06_densities"]["numbers"]
    models = {"box": "box", "normal": "normal",
              **{f"mixture_{name}": f"mixture of {numbers[name]} normals, by EM"
                 for name in ("few", "some", "many")},
              "histogram": f"histogram, {numbers['grid_rows']} × {numbers['grid_columns']} cells",
              "kernel_density": f"kernel density, h = {numbers['bandwidth']:.1f}°",
              "truth": "p_data itself"}
    yield "| density | KL(p_data‖p_model), nats | in the sea | missed land |"
    yield "| --- | --- | --- | --- |"
    for key, name in models.items():
        kl = numbers.get(f"{key}_kl", 0.0)
        error = numbers.get(f"{key}_kl_error", "none")
        kl = ("0" if key == "truth" else "∞" if kl == "inf" else f"{kl:.3f} ± {error:.3f}")
        yield (f"| {name} | {kl} | {numbers[f'{key}_sea']:.1%} "
               f"| {numbers[f'{key}_missed']:.1%} |")


def encoders():
    """The means of compare_encoders.py over its seeds."""
    report = load("encoders.json")
    names = {"pca": "principal components", "ppca": "probabilistic PCA", "autoencoder":
             "autoencoder " + "-".join(map(str, report["sizes"])) + " and back"}
    pca = report["mean"]["pca"]["error"]
    yield ("| encoder, two numbers | mean squared error | PCA's error / its | R² of height "
           "| R² of width |")
    yield "| --- | --- | --- | --- | --- |"
    for key, name in names.items():
        numbers = report["mean"][key]
        yield (f"| {name} | {numbers['error']:.2g} | {pca / numbers['error']:.0f} "
               f"| {numbers['r2_height']:.4f} | {numbers['r2_width']:.4f} |")
    drawn = report["mean"]["autoencoder"]
    yield ""
    yield ("Not every code decodes to a tin. Of pictures decoded from N(0, I), which has the mean "
           "and the covariance of the data's\ncodes, one in a hundred is more than "
           f"{drawn['normal_99']:.3f} away from any tin (root mean square per pixel); of those "
           f"decoded\nfrom a density fitted to the codes, {drawn['fitted_99']:.3f}. The medians, "
           f"{drawn['normal_median']:.4f} and {drawn['fitted_median']:.4f}, hardly differ.")


KINDS = {"exact": "exact", "bound": "a bound", "grid": "up to Z", "flow": "a bound", "none": "none"}


def scoreboard():
    """The means of scoreboard.py over its seeds."""
    report = load("scoreboard.json")
    table = report["summary"]
    yield ("| model | density | parameters | training, s | steps/s | samples/s | KL, nats "
           "| standard error | lowest log p on land | in the sea | land reached | JS of samples |")
    yield "| --- |" + " --- |" * 11
    for name, row in table.items():
        lowest = row.get("lowest", "")
        lowest = f"{lowest:.0f}" if isinstance(lowest, float) else lowest.replace("-inf", "-∞")
        error = f"{row['kl_error']:.4f}" if "kl_error" in row else ""
        steps = f"{row['steps_per_second']:.0f}" if "steps" in row else ""
        yield (f"| {name.replace('_', ' ')} | {KINDS[row['how']]} | {row['parameters']:,.0f} "
               f"| {row['seconds']:.1f} | {steps} | {two_digits(row['samples_per_second'])} "
               f"| {kl_in_words(row, spread=True)} "
               f"| {error} | {lowest} | {row['sea']:.1%} | {row['reached']:.1%} "
               f"| {row['js']:.4f} |")
    box, vae, diffusion = (table[name] for name in ("box", "variational_autoencoder", "diffusion"))
    yield ""
    yield wrapped(
        f"Means over {box['seeds']} seeds, ± the largest distance of a seed from the mean. The JS "
        f"of true samples from others is {box['js_floor']:.4f}: less cannot be seen. ≤: a bound, "
        f"of {report['importance']} draws; with one draw, the ELBO, it is {vae['elbo_kl']:.1f}. *Z "
        "by a grid*: log p is known up to a constant, which a sum over a grid gives in two "
        "dimensions. *Of its flow*: of the deterministic flow, not of the chain that samples, for "
        f"which only the bound {diffusion['elbo_kl']:.2f} is known.")


def wrapped(text):
    return textwrap.fill(text, 130, break_on_hyphens=False)


def two_digits(number):
    """A speed: more digits than two are noise."""
    return f"{float(f'{number:.2g}'):,.0f}"


def faces():
    """The means of compare_faces.py over its seeds."""
    report = load("faces.json")
    side = report["side"]
    yield wrapped(
        f"Pictures of {side} × {side} pixels with {report['levels']} levels of grey, where an even "
        f"guess needs {report['even']:.0f} bits per pixel. Each model learned from {report['n']:,} "
        f"faces and is judged on {report['n_held_out']} others. Means over {len(report['seeds'])} "
        "seeds, ± the largest distance of a seed from it; ≤ a bound.")
    yield ""
    yield "| model of faces | bits per pixel | parameters | training, s |"
    yield "| --- | --- | --- | --- |"
    for name, row in sorted(report["mean"].items(), key=lambda item: -item[1]["bits_per_pixel"]):
        yield (f"| {name.replace('_', ' ')} | {'≤ ' if row['bound'] else ''}"
               f"{row['bits_per_pixel']:.3f} ± {row['bits_per_pixel_spread']:.3f} "
               f"| {row['parameters']:,.0f} | {row['seconds']:.0f} |")
    yield ""
    yield wrapped(
        "A normal density pays at least 0.25 bits per pixel for the cell of a grey level; "
        "independent pixels and the autoregressive model, which are masses and no densities, pay "
        "nothing. The autoregressive model is one classifier for all pixels, given a window before "
        f"each. The mixture has {MIXTURE['components']} normals. Mixture, diffusion model and "
        f"variational autoencoder are models of the {MIXTURE['coordinates']} or "
        f"{VAE['coordinates']} leading principal coordinates, and all else is normal noise: the "
        "specks in their pictures. The order of the table is that of these small models after at "
        "most about a minute of training, not of their families; and what the cells cost is as "
        "much as separates its last two rows.")


def benchmark():
    """The cases of the benchmarks with their ratios."""
    reports = [load(f"benchmark_{name}.json") for name in ("density", "discriminative", "network")]
    yield "| case | peer | peer's time / ours: median (min to max) | memory, MB: ours, peer |"
    yield "| --- | --- | --- | --- |"
    models = load("benchmark_models.json")
    for case in (case for report in [*reports, models] for case in report["cases"]):
        ratio, memory = case["ratio"], case["memory_MB"]
        sizes = "-".join(map(str, case["sizes"].get("sizes", [])))          # of a network
        name = case["name"].replace("_", " ") + f" {sizes}" * bool(sizes)
        yield (f"| {name}, {case['dtype']} "
               f"| {case['peer']}, {case['settings']} "
               f"| {ratio['median']:.1f} ({ratio['min']:.1f} to {ratio['max']:.1f}) "
               f"| {memory['ours']:.0f}, {memory['peer']:.0f} |")
    yield ""
    density, discriminative, network = (report["machine"] for report in reports)
    machine = network | discriminative | density
    yield (f"Measured on one {machine['processor']} with {machine['cores']} cores, "
           f"OMP_NUM_THREADS = {machine['OMP_NUM_THREADS']} (training step: "
           f"{network['OMP_NUM_THREADS']}, of which a case uses as many as it says), "
           + ", ".join(f"{name} {machine[name]}" for name in
                       ("numpy", "scipy", "scikit-learn", "shapely", "torch")) + ".")
    peaks = {case["sizes"]["threads"]: case["extra"]["peak_GFLOP_per_s"]
             for case in reports[2]["cases"]}
    yield ("A large matrix product in float32 reaches, on "
           + ", on ".join(f"{threads} thread{'s' * (threads > 1)} {peak['ours']:.0f} GFLOP/s in "
                          f"NumPy and {peak['peer']:.0f} in PyTorch"
                          for threads, peak in peaks.items())
           + ": that much of a training step's ratio is the libraries', not ours.")


def updated(text):
    """The README `text` with every marked block made anew."""
    def block(match):
        lines = "\n".join(BLOCKS[match[1]]())
        return f"<!-- {match[1]} -->\n{lines}\n<!-- end -->"
    return re.sub(r"<!-- (\w+) -->\n.*?<!-- end -->", block, text, flags=re.DOTALL)


BLOCKS = {"densities": densities, "encoders": encoders, "scoreboard": scoreboard, "faces": faces,
          "benchmark": benchmark}

if __name__ == "__main__":
    readme = ROOT / "README.md"
    readme.write_text(updated(readme.read_text(encoding="utf-8")), encoding="utf-8")
