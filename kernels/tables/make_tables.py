"""Writes the tables of kernels/src/elementary/tables/.

    pip install mpmath && python make_tables.py

Each polynomial goes through its function at Chebyshev's points of the interval, computed with 320 bits. That the tables
are right shows in the test of every float, not in this script.
"""

import pathlib

from mpmath import acos, acosh, asin, asinh, atan, atanh, ceil, cos, erf, floor, log, matrix, lu_solve, mp, mpf, nint, pi, sin, sinh, tan, tanh

# More than the 104 bits before the point and 126 behind it that the largest float times 2/pi has in its row.
mp.prec = 320
HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE.parent / "src" / "elementary" / "tables"

# Exponent and four bits of mantissa number the rows.
ROWS_IN_BINADE = 16


def polynomial(f, degree):
    """Coefficients of the polynomial through f(0) and f at Chebyshev's points of (0, 1)."""
    points = [(1 - cos(pi * (2 * i + 1) / (2 * degree + 2))) / 2 for i in range(degree + 1)]
    rows = matrix([[u**k for k in range(degree + 1)] for u in points])
    return list(lu_solve(rows, matrix([f(u) for u in points])))


def word(value):
    value = int(value)
    assert -(2**31) <= value < 2**32, value
    return f"{value % 2**32:#010x}"


def split(value):
    """Integer part and the next 32 bits."""
    scaled = int(floor(value * 2**32))
    return scaled >> 32, scaled % 2**32


def exponent_of(value):
    exponent = int(floor(log(value, 2)))
    return exponent + (value >= mpf(2) ** (exponent + 1)) - (value < mpf(2) ** exponent)


def piecewise(f, last, first_exponent=-12, rises=True):
    """Rows for `f` from a power of two, 2^-12 if nothing is said, to `last`. If it does not rise, each piece begins at
    its end."""
    rows = []
    number = 0
    while True:
        exponent, part = divmod(number, ROWS_IN_BINADE)
        start = mpf(2) ** (first_exponent + exponent) * (1 + mpf(part) / ROWS_IN_BINADE)
        width = mpf(2) ** (first_exponent + exponent) / ROWS_IN_BINADE
        if start >= last:
            return rows
        of = lambda u: f(start + (u if rises else 1 - u) * width)
        # In units of the last place at the start of the interval.
        scale = exponent_of(of(0))
        c = polynomial(lambda u: of(u) / mpf(2) ** (scale - 23), 5)
        head, tail = split(c[0])
        assert 2**23 <= head < 2**24 and c[1] > 0
        # The last product is unsigned, in units of 2^-12; each one before it takes a signed word and halves.
        terms = [nint(c[1] * 2**12)] + [nint(c[k] * 2 ** (12 + k - 1)) for k in range(2, 6)]
        rows.append([head, tail, *terms, (scale + 126) << 23])
        number += 1


def exp_rows():
    """2^(i/128) in units of 2^-23, its next 32 bits, and itself in units of 2^-31."""
    rows = []
    for i in range(128):
        value = mpf(2) ** (mpf(i) / 128)
        head, tail = split(value * 2**23)
        rows.append([head, tail, floor(value * 2**31)])
    return rows


def log_rows():
    """ln(1 + (i + u)/64) in units of 2^-56, and as a polynomial of u."""
    rows = []
    for i in range(64):
        c = polynomial(lambda u: log(1 + (i + u) / 64), 4)
        value = int(nint(c[0] * 2**56))
        terms = [nint(c[1] * 2**38)] + [nint(c[k] * 2 ** (38 + k - 1)) for k in range(2, 5)]
        rows.append([value >> 32, value % 2**32, *terms])
    return rows


def words(value, count):
    """An integer as words, the upper ones first."""
    value = int(value)
    return [value >> 32 * (count - 1 - i) & 0xFFFFFFFF for i in range(count)]


def two_by_pi_rows():
    """2/pi times 2^(e - 150) for the exponents e from that of 2^-12 on, less multiples of 4, in units of 2^-126."""
    return [words(floor(2 / pi * mpf(2) ** (e - 150 + 126)) % 2**128, 4) for e in range(115, 255)]


def log2_rows():
    """For each 256th from 1 to 2 its reciprocal, rounded up, in units of 2^-11; and minus the logarithm of that, in
    units of 2^-120."""
    rows = []
    for i in range(256):
        inverse = ceil(2**11 / (1 + mpf(i) / 256))
        rows.append([inverse, *words(nint(-log(inverse / 2**11, 2) * 2**120), 4)])
    return rows


def log2_slope():
    """log2(1 + r) / r as a - t (b - t (c - t d)) with t = 2^7 r, for what r is left by the rows above: a in two
    words, in units of 2^-56, the others of 2^-46, and each times the power of 2^-7 that makes it one of t."""
    widest = max(r[0] / 2**11 * (1 + mpf(i + 1) / 256) - 1 for i, r in enumerate(log2_rows()))
    assert widest < mpf(2) ** -7
    c = polynomial(lambda u: log(1 + u * widest, 2) / (u * widest), 3)
    a, b, c, d = (abs(c[k]) / (widest * 2**7) ** k / 2**7 for k in range(4))
    return words(nint(a * 2**56), 2) + [nint(v * 2**46) for v in (b, c, d)]


def write(name, comment, columns, rows):
    lines = [f"//! {comment}", "//! Written by kernels/tables/make_tables.py.", ""]
    if name == "log2":
        lines += ["/// log2(1 + r) / r: two words in units of 2^-56 and three words in units of 2^-46.", "#[rustfmt::skip]"]
        lines += ["pub(in crate::elementary) const SLOPE: [u32; 5] = [" + ", ".join(map(word, log2_slope())) + "];", ""]
    lines += ["#[rustfmt::skip]", f"pub(in crate::elementary) static {name.upper()}: [[u32; {columns}]; {len(rows)}] = ["]
    lines += ["    [" + ", ".join(word(v) for v in row) + "]," for row in rows]
    lines += ["];", ""]
    (OUT / f"{name}.rs").write_text("\n".join(lines))


write("exp", "2^(i/128) for 0 <= i < 128.", 3, exp_rows())
write("log", "ln(1 + i/64) for 0 <= i < 64, with the polynomial up to the next.", 6, log_rows())
write("tanh", "The hyperbolic tangent from 2^-12 on.", 8, piecewise(tanh, mpf("9.5")))
write("erf", "The error function from 2^-12 on.", 8, piecewise(erf, mpf(4)))
write("two_by_pi", "2/pi for each exponent of a float from 2^-12 on, less what makes full turns.", 4, two_by_pi_rows())
# The reduced argument of a float that is not tiny is rarely below 2^-13.
write("sine", "sin(pi/2 z) from 2^-13 to 1.", 8, piecewise(lambda z: sin(pi / 2 * z), 1, -13))
write("log2", "Reciprocals of 1 + i/256 for 0 <= i < 256 and their logarithms.", 5, log2_rows())
write("tangent", "tan(pi/2 z) from 2^-13 to 1/2.", 8, piecewise(lambda z: tan(pi / 2 * z), mpf("0.5"), -13))
write("atan", "The inverse tangent from 2^-12 to 16.", 8, piecewise(atan, mpf(16)))
write("sinh", "The hyperbolic sine from 2^-12 to 1.", 8, piecewise(sinh, mpf(1)))
write("asin", "The inverse sine from 2^-12 to 1/2.", 8, piecewise(asin, mpf("0.5")))
write("acos", "The inverse cosine of 1 - w for w from 2^-13 to 1/2.", 8, piecewise(lambda w: acos(1 - w), mpf("0.5"), -13))
write("asinh", "The inverse hyperbolic sine from 2^-12 to 16.", 8, piecewise(asinh, mpf(16)))
write("acosh", "The inverse hyperbolic cosine of 1 + 16 w for w from 2^-13 to 1.", 8, piecewise(lambda w: acosh(1 + 16 * w), 1, -13))
write("atanh", "The inverse hyperbolic tangent from 2^-12 to 1/2.", 8, piecewise(atanh, mpf("0.5")))
write("atanh_near_one", "That of 1 - w for w from 2^-13 to 1/2, each piece from its end to its start.", 8,
      piecewise(lambda w: atanh(1 - w), mpf("0.5"), -13, rises=False))
