# SPDX-License-Identifier: Apache-2.0
"""Statistics of repeated measurements, and tables of them."""
import math

USE_MINIMUM = False  # set once, from the command line


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def figure(values):
    """What stands for repeated measurements: their median, the smallest with --minimum."""
    return min(values) if USE_MINIMUM else median(values)


def spread(values):
    """Median distance from the median, as a share of the median: outliers do not count."""
    middle = median(values)
    return median([abs(value - middle) for value in values]) / middle if middle else 0.0


def geometric_mean(values):
    return math.exp(sum(math.log(value) for value in values) / len(values)) if values else None


def ratios(results, over, names):
    """Per workload: figure of `results` over that of `over`, where both have one."""
    return {name: figure(results[name]) / figure(over[name])
            for name in names if results.get(name) and over.get(name)}


def table(head, rows):
    """Columns as wide as their widest cell; the first to the left, the others to the right."""
    cells = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    lines = []
    for row in cells:
        line = [row[0].ljust(widths[0])]
        line += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        lines.append("  ".join(line).rstrip())
    return "\n".join(lines)


def number(value, digits=2):
    return "-" if value is None else f"{value:.{digits}f}"


def self_test():
    assert median([3, 1, 2]) == 2 and median([4, 1, 2, 3]) == 2.5
    assert spread([10, 10, 11, 9, 50]) == 0.1 and spread([5]) == 0.0
    assert abs(geometric_mean([1, 4, 16]) - 4) < 1e-12 and geometric_mean([]) is None
    measured = {"a": [2.0, 4.0, 6.0], "b": [1.0], "c": []}
    base = {"a": [2.0], "b": [], "c": [1.0]}
    assert ratios(measured, base, ["a", "b", "c", "d"]) == {"a": 2.0}
    assert table(["x", "yy"], [["long", 1]]) == "x     yy\nlong   1"
    assert number(None) == "-" and number(1.005, 1) == "1.0"
