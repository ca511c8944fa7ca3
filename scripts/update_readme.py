"""Write into the README the numbers that scripts have measured: `python scripts/update_readme.py`.

Between the lines `<!-- NAME -->` and `<!-- end -->` stands what the function `NAME` below makes of
figures/manifest.json or figures/benchmark_density.json; a test sees that it is up to date.
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


def benchmark():
    """The cases of the benchmarks with their ratios."""
    reports = [load(f"benchmark_{name}.json") for name in ("density", "discriminative")]
    yield "| case | peer | peer's time / ours: median (min to max) | memory, MB: ours, peer |"
    yield "| --- | --- | --- | --- |"
    for case in (case for report in reports for case in report["cases"]):
        ratio, memory = case["ratio"], case["memory_MB"]
        yield (f"| {case['name'].replace('_', ' ')}, {case['dtype']} "
               f"| {case['peer']}, {case['settings']} "
               f"| {ratio['median']:.1f} ({ratio['min']:.1f} to {ratio['max']:.1f}) "
               f"| {memory['ours']:.0f}, {memory['peer']:.0f} |")
    yield ""
    machine = reports[0]["machine"] | reports[1]["machine"]
    yield (f"Measured on one {machine['processor']} with {machine['cores']} cores, "
           f"OMP_NUM_THREADS = {machine['OMP_NUM_THREADS']}, "
           + ", ".join(f"{name} {machine[name]}" for name in
                       ("numpy", "scipy", "scikit-learn", "shapely", "torch")) + ".")


def updated(text):
    """The README `text` with every marked block made anew."""
    def block(match):
        lines = "\n".join(BLOCKS[match[1]]())
        return f"<!-- {match[1]} -->\n{lines}\n<!-- end -->"
    return re.sub(r"<!-- (\w+) -->\n.*?<!-- end -->", block, text, flags=re.DOTALL)


BLOCKS = {"densities": densities, "benchmark": benchmark}

if __name__ == "__main__":
    readme = ROOT / "README.md"
    readme.write_text(updated(readme.read_text(encoding="utf-8")), encoding="utf-8")
