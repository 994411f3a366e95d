"""Writes the tables of kernels/src/elementary/tables/.

    pip install mpmath && python make_tables.py

Each polynomial goes through its function at Chebyshev's points of the interval, computed with 200 bits. That the tables
are right shows in the test of every float, not in this script.
"""

import pathlib

from mpmath import cos, erf, floor, log, matrix, lu_solve, mp, mpf, nint, pi, tanh

mp.prec = 200
HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE.parent / "src" / "elementary" / "tables"

# Exponent and four bits of mantissa number the rows; the first row starts at 2^-12.
ROWS_IN_BINADE = 16
FIRST_EXPONENT = -12


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


def piecewise(f, last):
    """Rows for `f`, rising, from 2^-12 to `last`."""
    rows = []
    number = 0
    while True:
        exponent, part = divmod(number, ROWS_IN_BINADE)
        start = mpf(2) ** (FIRST_EXPONENT + exponent) * (1 + mpf(part) / ROWS_IN_BINADE)
        width = mpf(2) ** (FIRST_EXPONENT + exponent) / ROWS_IN_BINADE
        if start >= last:
            return rows
        # In units of the last place at the start of the interval.
        scale = exponent_of(f(start))
        c = polynomial(lambda u: f(start + u * width) / mpf(2) ** (scale - 23), 5)
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


def write(name, comment, columns, rows):
    lines = [f"//! {comment}", "//! Written by kernels/tables/make_tables.py.", ""]
    lines += ["#[rustfmt::skip]", f"pub(in crate::elementary) static {name.upper()}: [[u32; {columns}]; {len(rows)}] = ["]
    lines += ["    [" + ", ".join(word(v) for v in row) + "]," for row in rows]
    lines += ["];", ""]
    (OUT / f"{name}.rs").write_text("\n".join(lines))


write("exp", "2^(i/128) for 0 <= i < 128.", 3, exp_rows())
write("log", "ln(1 + i/64) for 0 <= i < 64, with the polynomial up to the next.", 6, log_rows())
write("tanh", "The hyperbolic tangent from 2^-12 on.", 8, piecewise(tanh, mpf("9.5")))
write("erf", "The error function from 2^-12 on.", 8, piecewise(erf, mpf(4)))
