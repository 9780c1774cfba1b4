"""Two sides measured in turns: each round's ratio, their median and spread, and their table."""

import statistics


class Figures:
    """Of each side ("old" or "new") the values by name, one a round, in the order of names."""

    def __init__(self):
        self.values = {}
        self.units = {}

    def add(self, side, name, unit, value):
        self.units[name] = unit
        self.values.setdefault(name, {"old": [], "new": []})[side].append(value)

    def rows(self):
        """(name, unit, old median, new median, median, smallest and largest ratio new / old).

        Values of the same round are divided, for what slows a machine down comes and goes.
        """
        rows = []
        for name, sides in self.values.items():
            ratios = [new / old for old, new in zip(sides["old"], sides["new"], strict=True)]
            rows.append((name, self.units[name], statistics.median(sides["old"]),
                         statistics.median(sides["new"]), statistics.median(ratios), min(ratios),
                         max(ratios)))
        return rows


def sides_in_turn(number):
    """Which side goes first in the round of this number, from 0, and which second."""
    return ("old", "new") if number % 2 == 0 else ("new", "old")


def shown(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.2f}"


def ratio_table(rows, old, new):
    lines = [f"{'':<40} {old:>12} {new:>12}  {'ratio':>6}  spread"]
    for name, unit, before, after, ratio, low, high in rows:
        lines.append(f"{name + ', ' + unit:<40} {shown(before):>12} {shown(after):>12}"
                     f"  {ratio:>6.3f}  {low:.3f} to {high:.3f}")
    return "\n".join(lines)


def bytes_table(files):
    """`files`: {name: {"old": (bytes, sha256), "new": ...}}."""
    lines = []
    for name, sides in files.items():
        (old, old_hash), (new, new_hash) = sides["old"], sides["new"]
        if old_hash == new_hash:
            lines.append(f"{name:<40} {new:>12,} bytes  same bytes  sha256 {new_hash[:16]}")
        else:
            lines.append(f"{name:<40} {old:>12,} bytes  becomes {new:,} ({new - old:+,})  "
                         f"sha256 {old_hash[:16]} becomes {new_hash[:16]}")
    return "\n".join(lines)
