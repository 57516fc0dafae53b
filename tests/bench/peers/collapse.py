"""A data collapse by fssa's objective under scipy's Nelder-Mead, for resamples that are given.

Usage: collapse.py DATA.csv RESAMPLES.csv P_C INV_NU KAPPA_OVER_NU LOW HIGH. DATA has the columns size,
control, value, error; RESAMPLES has one row a resample with the values of all rows of DATA. Prints one
line: seconds, resamples, evaluations, and the standard deviations of the three parameters. Every
resample starts at the given parameters, which a user of fssa would have to know.

fssa 0.7.6 needs names that numpy and scipy have dropped.
"""

import importlib.util
import sys
import time
import types
import warnings

import numpy as np
import scipy.optimize

warnings.simplefilter("ignore")
np.asfarray = lambda a, dtype=float: np.asarray(a, dtype=dtype)
np.int = int
# Only fssa's own minimiser needs this one; scipy's is used here.
if not hasattr(scipy.optimize._optimize, "wrap_function"):
    scipy.optimize._optimize.wrap_function = None
sys.modules["scipy.optimize.optimize"] = scipy.optimize._optimize

# fssa asks an old setuptools for its own version alone.
if importlib.util.find_spec("pkg_resources") is None:
    resources = types.ModuleType("pkg_resources")
    resources.get_distribution = lambda name: types.SimpleNamespace(version="0.7.6", location="", has_version=lambda: True)
    resources.DistributionNotFound = Exception
    sys.modules["pkg_resources"] = resources

import fssa


def main():
    data = np.loadtxt(sys.argv[1], delimiter=",", skiprows=1)
    resamples = np.atleast_2d(np.loadtxt(sys.argv[2], delimiter=","))
    start = [float(value) for value in sys.argv[3:6]]
    window = (float(sys.argv[6]), float(sys.argv[7]))
    sizes = np.unique(data[:, 0])
    rows = [np.flatnonzero(data[:, 0] == size) for size in sizes]
    # fssa wants as many points of every size: those nearest to p_c.
    count = min(len(row) for row in rows)
    rows = [np.sort(row[np.argsort(np.abs(data[row, 1] - start[0]))[:count]]) for row in rows]
    control = np.array([data[row, 1] for row in rows])
    error = np.array([data[row, 3] for row in rows])
    evaluations = 0

    def cost(at, value):
        nonlocal evaluations
        evaluations += 1
        scale = sizes[:, None]
        x = (control - at[0]) * scale ** at[1]
        y_scale = scale ** at[2]
        return fssa.quality(x, value * y_scale, error * y_scale, x_bounds=window)

    begin = time.perf_counter()
    found = []
    for values in resamples:
        value = np.array([values[row] for row in rows])
        # A simplex in the units of the errors: scipy's own edges, 5 % of p_c, leave the collapse.
        simplex = np.array([start] * 4)
        simplex[1:] += np.diag([1e-3, 0.05 * start[1], 0.05 * abs(start[2])])
        end = scipy.optimize.minimize(
            cost, start, args=(value,), method="Nelder-Mead", options={"initial_simplex": simplex}
        )
        found.append(end.x)
    seconds = time.perf_counter() - begin
    spread = np.std(found, axis=0, ddof=1)
    print(seconds, len(resamples), evaluations, *spread)


if __name__ == "__main__":
    main()
