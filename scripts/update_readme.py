"""Write into the README the numbers that scripts have measured: `python scripts/update_readme.py`.

Between the lines `<!-- NAME -->` and `<!-- end -->` stands what the function `NAME` below makes of
the files manifest.json, encoders.json and benchmark_*.json of figures/; a test sees that it is up
to date.
"""

import json
import re
from pathlib import Path

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


BLOCKS = {"densities": densities, "encoders": encoders, "benchmark": benchmark}

if __name__ == "__main__":
    readme = ROOT / "README.md"
    readme.write_text(updated(readme.read_text(encoding="utf-8")), encoding="utf-8")
