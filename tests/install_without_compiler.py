"""What `make test-numba` runs: install without a compiler into a scratch environment, and compare its results with ours.

The interpreter that runs this script has the native backend. The scratch environment gets a pure wheel
(``-C wheel.cmake=false``) and Numba. Both compute the same things from the same file of inputs; results have to be
the same bytes. Exits with 1 at the first check that fails.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
import warnings
import zipfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
METRICS = ("cosine", "dot", "euclidean")


def inputs():
    """Made once, by the native side: two NumPy versions may draw differently."""
    rng = np.random.default_rng(20)
    labels = rng.integers(0, 2, 3000)
    return {
        "queries": rng.standard_normal((7, 51)).astype(np.float32),
        "corpus": rng.standard_normal((2000, 51)).astype(np.float32),
        "scores": (rng.standard_normal(3000) + labels).astype(np.float32),
        "labels": labels,
        "platt": np.array([-1.75, 0.375]),
    }


def results(given):
    """Every result by name; the coefficients of Platt are given, because a fit agrees to 1e-12 and not to the bit."""
    import fastcal as fc

    found = {metric: fc.topk(given["queries"], given["corpus"], 25, metric) for metric in METRICS}
    out = {f"topk {metric}: {part}": getattr(found[metric], part) for metric in METRICS for part in ("scores", "ids")}
    out["minmax"] = fc.minmax(found["dot"].scores)
    fused = fc.rrf([fc.Run.from_search(found[metric]) for metric in METRICS])
    out |= {"rrf: scores": fused.scores, "rrf: ids": fused.ids}
    a, b = given["platt"].tolist()
    state = {"type": "platt", "version": 1, "params": {"input": "logit"}, "fitted": {"a_": a, "b_": b, "base_rate_": 0.5}}
    out["Platt predict"] = fc.calibrator_from_dict(state).predict(given["scores"])
    out["Venn-Abers predict"] = fc.VennAbersCalibrator().fit(given["scores"], given["labels"]).predict(given["scores"])
    out["isotonic predict"] = fc.IsotonicCalibrator().fit(given["scores"], given["labels"]).predict(given["scores"])
    return out


def check(condition, text):
    """Print one line; end with exit code 1 if the check failed."""
    print("ok  " if condition else "FAIL", text, flush=True)
    if not condition:
        sys.exit(1)


def ran(*command, **environment):
    """Run a command without the FASTCAL_ and PYTHON variables of this process; its output is shown if it fails."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("FASTCAL_", "PYTHON"))}
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, env=clean | environment)
    if done.returncode != 0:
        print(done.stdout, done.stderr, sep="\n")
        check(False, " ".join(map(str, command)))
    return done.stdout.strip()


def scratch_side(given_path, results_path):
    """What the scratch environment runs."""
    with np.load(given_path) as given, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        import fastcal as fc

        backend = fc.backend()
        assert (backend.name, backend.isa) == ("numba", "numba"), backend
        computed = results(given)
        ours = [str(w.message) for w in caught if issubclass(w.category, fc.FastcalWarning)]
    assert not ours, ours
    np.savez(results_path, **computed)


def install(folder):
    """A wheel without a compiler, then an environment with it and Numba; returns its interpreter."""
    ran(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-C", "wheel.cmake=false", "-w", folder, ROOT)
    (wheel,) = folder.glob("*.whl")
    check(wheel.name.endswith("-py3-none-any.whl"), f"the wheel is pure: {wheel.name}")
    files = zipfile.ZipFile(wheel).namelist()
    check(not [name for name in files if name.endswith((".so", ".pyd"))], "no extension in it")
    check("fastcal/py.typed" in files and not [name for name in files if name.startswith("csrc")], "the package and nothing else in it")
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    ran(python, "-m", "pip", "install", "-q", f"{wheel}[numba]")
    return python


def main():
    """Install, compare, clean up."""
    import fastcal as fc

    check(fc.backend().name == "native", f"this interpreter runs the native backend ({fc.backend().isa})")
    given = inputs()
    expected = results(given)
    with tempfile.TemporaryDirectory(prefix="fastcal-numba-") as name:
        folder = Path(name)
        python = install(folder)
        np.savez(folder / "given.npz", **given)
        ran(python, "-I", Path(__file__).resolve(), folder / "given.npz", folder / "results.npz", FASTCAL_BACKEND="numba")
        check(True, "FASTCAL_BACKEND=numba: backend numba, no warning")
        ask = "import fastcal as fc, warnings; warnings.simplefilter('error', fc.BackendFallbackWarning); fc.backend()"
        told = ran(python, "-I", "-c", f"try:\n    exec({ask!r})\nexcept UserWarning as w:\n    print(type(w).__name__)")
        check(told == "BackendFallbackWarning", "without FASTCAL_BACKEND: one warning that the extension is missing")
        with np.load(folder / "results.npz") as got:
            check(set(got.files) == set(expected), "every result is there")
            for key, value in expected.items():
                same = got[key].dtype == value.dtype and got[key].shape == value.shape and got[key].tobytes() == value.tobytes()
                check(same, f"{key}: {value.size} values, the same bytes")
    print("the install without a compiler gives the native results, byte for byte")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        scratch_side(*sys.argv[1:])
    else:
        main()
