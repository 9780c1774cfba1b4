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
        """(name, unit, old median, new median, ratios new / old: median, smallest and largest).

        Values of the same round are divided, for what slows a machine down comes and goes. The
        clocks of players are coarse: a round without two times has no ratio.
        """
        rows = []
        for name, sides in self.values.items():
            pairs = zip(sides["old"], sides["new"], strict=True)
            ratios = [new / old for old, new in pairs if old > 0 and new > 0]
            rows.append((name, self.units[name], statistics.median(sides["old"]),
                         statistics.median(sides["new"]),
                         (statistics.median(ratios), min(ratios), max(ratios)) if ratios else None))
        return rows


def sides_in_turn(number):
    """Which side goes first in the round of this number, from 0, and which second."""
    return ("old", "new") if number % 2 == 0 else ("new", "old")


def shown(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.2f}"


def ratio_table(rows, old, new):
    lines = [f"{'':<40} {old:>12} {new:>12}  {'ratio':>6}  spread"]
    for name, unit, before, after, ratios in rows:
        line = f"{name + ', ' + unit:<40} {shown(before):>12} {shown(after):>12}"
        if ratios is None:
            lines.append(line + "  too short to tell")
        else:
            lines.append(line + "  {:>6.3f}  {:.3f} to {:.3f}".format(*ratios))
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
