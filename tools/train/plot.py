"""Draws loss.png from a run's log.csv."""
import csv
from pathlib import Path


def plot(run: Path) -> None:
    try:
        import matplotlib
    except ImportError:
        print("plot: no loss.png, because matplotlib is missing")
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot
    rows = list(csv.DictReader((run / "log.csv").open()))
    figure, axes = pyplot.subplots(figsize=(8, 4.5))
    axes.plot([int(row["tokens"]) / 1e6 for row in rows], [float(row["loss"]) for row in rows])
    axes.set_xlabel("million tokens")
    axes.set_ylabel("cross-entropy per token (the last part: answers only)")
    axes.grid(alpha=0.3)
    figure.savefig(run / "loss.png", dpi=120)
    pyplot.close(figure)
