# SPDX-License-Identifier: LGPL-2.1-or-later
"""Turns samples into the table (text, CSV, Markdown) and the plot. Owns the files in the output
directory; calls gnuplot."""

import csv
import re
import shutil
import statistics
import subprocess
from pathlib import Path


def number(value):
    if value is None:
        return "-"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 0.1 else 3
    return f"{value:,.{digits}f}"


class Summary:
    """One row's numbers: per system (min, median, max), and ratios. A ratio is the median of the
    rounds' ratios, because the samples of one round were taken seconds apart: slow changes of the
    machine's load fall out, while medians of whole runs may come from different times."""

    def __init__(self, row, samples):
        self.row = row
        self.samples = samples  # {system: [one value per round, None where it failed]}
        self.stats, self.counts = {}, {}
        for system, values in samples.items():
            good = [value for value in values if value is not None]
            self.counts[system] = len(good)
            if good:
                self.stats[system] = (min(good), statistics.median(good), max(good))

    def median(self, system):
        return self.stats[system][1] if system in self.stats else None

    def ratio(self, system, reference):
        """How many times faster `system` is than `reference`; None if no round has both."""
        pairs = zip(self.samples.get(system, ()), self.samples.get(reference, ()))
        ratios = [self.row.faster(a, b) for a, b in pairs if a is not None and b is not None]
        return statistics.median(ratios) if ratios else None

    @property
    def gain(self):
        return self.ratio("ours", "builtin")

    @property
    def share(self):
        return self.ratio("ours", "native")

    @property
    def verdict(self):
        if self.row.target is None or self.gain is None:
            return ""
        reached = self.gain >= self.row.target
        if self.row.share is not None and self.share is not None:
            reached = reached and self.share >= self.row.share
        return "yes" if reached else "NO"


def _cells(summary, systems):
    cells = [summary.row.title, summary.row.unit]
    for system in systems:
        stats = summary.stats.get(system)
        missing = "failed" if summary.row.runs_on(system) else "-"
        cells.append(" / ".join(number(v) for v in stats) if stats else missing)
    if "ours" in systems:
        gain, share = summary.gain, summary.share
        cells.append("-" if gain is None else f"{number(gain)}x")
        cells.append("-" if share is None else f"{share * 100:.0f} %")
        row = summary.row
        share = "" if row.share is None else f", {row.share * 100:.0f} %"
        cells.append("" if row.target is None else f">= {row.target:g}x{share} {summary.verdict}".rstrip())
    elif "builtin" in systems and "native" in systems:
        share = summary.ratio("builtin", "native")
        cells.append("-" if share is None else f"{share * 100:.1f} %")
    return cells


def _headings(systems):
    names = {"builtin": "built-in", "ours": "ours", "native": "native Linux"}
    headings = ["row", "unit"] + [f"{names[s]}: min / median / max" for s in systems]
    if "ours" in systems:
        headings += ["ours to built-in", "share of native", "target"]
    elif "builtin" in systems and "native" in systems:
        headings += ["built-in's share of native"]
    return headings


def text_table(summaries, systems):
    lines = [_headings(systems)] + [_cells(s, systems) for s in summaries]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    lines.insert(1, ["-" * w for w in widths])
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(line, widths)).rstrip()
                     for line in lines) + "\n"


def markdown_table(summaries, systems):
    lines = [_headings(systems), ["---"] * len(_headings(systems))]
    lines += [_cells(s, systems) for s in summaries]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def write_csv(path, summaries, systems):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "title", "unit", "system", "samples", "min", "median", "max",
                         "times_builtin", "share_of_native", "target", "reached"])
        for s in summaries:
            for system in systems:
                stats = s.stats.get(system, (None,) * 3)
                ours = system == "ours"
                writer.writerow([s.row.name, s.row.title, s.row.unit, system,
                                 s.counts.get(system, 0), *stats, s.ratio(system, "builtin"),
                                 s.ratio(system, "native"), s.row.target if ours else None,
                                 s.verdict if ours else None])


def write_samples(path, samples):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["round", "row", "system", "ops", "seconds", "value", "unit"])
        writer.writerows(samples)


def plot(directory, summaries, systems, caption):
    """speed.png: median speed in multiples of the built-in, with the range over the rounds."""
    if "builtin" not in systems or not shutil.which("gnuplot"):
        return None
    shown = [s for s in systems if s != "builtin"]
    data = Path(directory) / "plot.dat"
    with open(data, "w") as file:
        for s in summaries:
            reference = s.median("builtin")
            if reference is None:
                continue
            fields = []
            for system in shown:
                stats = s.stats.get(system)
                times = sorted(s.row.faster(v, reference) for v in stats) if stats else ["?"] * 3
                fields += [times[1], times[0], times[2]]
            file.write(f'"{s.row.title}" ' + " ".join(str(f) for f in fields) + "\n")
    return _gnuplot("plot.gp", data, Path(directory) / "speed.png", caption, shown)


def plot_connections(directory, summaries, systems, caption):
    """connections.png: what a round trip costs with how many connections, if several were measured."""
    chosen = [s for s in summaries if re.fullmatch(r"port-\d+", s.row.name)]
    if len(chosen) < 2 or not shutil.which("gnuplot"):
        return None
    data = Path(directory) / "connections.dat"
    with open(data, "w") as file:
        for s in chosen:
            fields = [s.row.name.partition("-")[2]]
            for system in systems:
                stats = s.stats.get(system)
                fields += [f"{1e6 / rate:.3f}" for rate in (stats[1], stats[2], stats[0])] if stats else ["?"] * 3
            file.write(" ".join(fields) + "\n")
    return _gnuplot("connections.gp", data, Path(directory) / "connections.png", caption, systems)


def _gnuplot(script, data, image, caption, systems):
    subprocess.run(["gnuplot", "-e", f"data='{data}'; image='{image}'; caption='{caption}'; "
                    f"systems='{' '.join(systems)}'", str(Path(__file__).resolve().parent / script)],
                   check=True, timeout=60)
    return image
