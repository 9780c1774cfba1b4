#!/usr/bin/env python3
"""Our own arithmetic against arithmetic with 60 digits. Argument: the program maths_tool.

Every rotation of the rotary embedding must be the double nearest to the true value; exp, log, log2
and turn may be off by what packer/base/portable_math.h says, and the engine's by what
runtime_ref/maths.h says.
"""

import collections
import decimal
import functools
import math
import subprocess
import sys

decimal.getcontext().prec = 60
kOne = 1 << 200  # fixed point of the trigonometry
kLn2 = decimal.Decimal(2).ln()
kPi = decimal.Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640629")
kRotations = ("rope", "scaled")
kMostUlps = {"exp": 2, "log": 3, "log2": 4, "turn": 3,
             "maths::exp": 0.51, "maths::log": 0.501, "maths::pow": 0.501,
             "maths::sin": 0.501, "maths::cos": 0.501,
             "maths::tanh": 1.5, "maths::tanh_near_0": 0.501, "maths::erfc": 3}


def cos_sin(angle):
    """Of a Decimal from 0 to 64, as Decimals: a series for a part of it, then doublings."""
    x = int(angle * kOne) >> 8
    square, cosine, sine, term = x * x // kOne, kOne, x, kOne
    for k in range(1, 20):
        term = -term * square // kOne // (2 * k * (2 * k - 1))
        cosine += term
        sine += term * x // kOne // (2 * k + 1)
    for _ in range(8):
        cosine, sine = (cosine * cosine - sine * sine) // kOne, 2 * cosine * sine // kOne
    return decimal.Decimal(cosine) / kOne, decimal.Decimal(sine) / kOne


@functools.lru_cache(None)
def logarithm(base):
    return decimal.Decimal(base).ln()


def rotation(base, dims, j, positions, *scaling):
    frequency = (logarithm(float.fromhex(base)) * -2 * int(j) / int(dims)).exp()
    return cos_sin(int(positions) * (scaled(frequency, *scaling) if scaling else frequency))


def scaled(frequency, factor, low, high, original):
    factor, low, high = (decimal.Decimal(float.fromhex(number)) for number in (factor, low, high))
    kept = min(max((int(original) * frequency / (2 * kPi) - low) / (high - low), 0), 1)
    return frequency * (kept + (1 - kept) / factor)


def cos_sin_of_any(angle):
    turns = (angle / (2 * kPi)).to_integral_value(decimal.ROUND_FLOOR)
    return cos_sin(angle - 2 * kPi * turns)


def sine(x):
    return cos_sin_of_any(x)[1] if abs(x) > decimal.Decimal("1e-6") else x - x ** 3 / 6 + x ** 5 / 120


def hyperbolic_tangent(x):
    if abs(x) < decimal.Decimal("1e-6"):
        return x - x ** 3 / 3 + 2 * x ** 5 / 15
    return 1 - 2 / ((2 * x).exp() + 1)


def complementary_error(x):
    """A series of positive terms; far from zero a continued fraction, whose rest is below 1e-25."""
    if x < 0:
        return 2 - complementary_error(-x)
    slope = 2 / kPi.sqrt() * (-x * x).exp()
    if x > 5:
        fraction = x
        for k in range(120, 0, -1):
            fraction = x + decimal.Decimal(k) / 2 / fraction
        return slope / 2 / fraction
    total, term, odd = x, x, 1
    while term > decimal.Decimal("1e-55"):
        odd += 2
        term = term * 2 * x * x / odd
        total += term
    return 1 - slope * total


kFunctions = {
    "exp": decimal.Decimal.exp,
    "log": decimal.Decimal.ln,
    "log2": lambda x: x.ln() / kLn2,
    "pow": lambda x, y: (x.ln() * y).exp(),
    "sin": sine,
    "cos": lambda x: cos_sin_of_any(x)[0],
    "tanh": hyperbolic_tangent,
    "tanh_near_0": hyperbolic_tangent,
    "erfc": complementary_error,
}


def expected(function, arguments):
    if function in kRotations:
        return rotation(*arguments)
    exact = [decimal.Decimal(float.fromhex(argument)) for argument in arguments]
    if function == "turn":
        return cos_sin(2 * kPi * exact[0])
    return (kFunctions[function.removeprefix("maths::")](*exact),)


def ulps(value, true):
    return abs(decimal.Decimal(value) - true) / decimal.Decimal(math.ulp(float(true)))


def main():
    lines = subprocess.run([sys.argv[1]], check=True, capture_output=True, text=True).stdout
    counts, wrong, worst = collections.Counter(), collections.Counter(), collections.Counter()
    for line in lines.splitlines():
        function, *numbers = line.split()
        values = 2 if function in (*kRotations, "turn") else 1
        true = expected(function, numbers[:-values])
        for value, exact in zip(map(float.fromhex, numbers[-values:]), true):
            counts[function] += 1
            if function in kRotations:
                wrong[function] += value != float(exact)
            else:
                worst[function] = max(worst[function], ulps(value, exact))
                wrong[function] += ulps(value, exact) > kMostUlps[function]
    for function, count in counts.items():
        off = f", {float(worst[function]):.3f} ulp at most" if function in worst else ""
        print(f"{function}: {wrong[function]} of {count} values wrong{off}")
    return 0 if set(counts) == {*kRotations, *kMostUlps} and not any(wrong.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
