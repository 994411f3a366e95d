"""Writes `NAME.txt` from each `NAME.in` of this folder: every package with its version and the hashes of its wheels.

    pip install uv==0.13.8 && python make_locks.py [NAME...]

uv resolves for all versions of Python and all systems at once. Of the wheels, those that an environment can be made of
are kept: CPython 3.11 to 3.13 on Linux, x86_64 and aarch64.
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import tomllib

HERE = pathlib.Path(__file__).parent
OLDEST_PYTHON = "3.11"

# Parts of torch's dependencies that its code for processors does without; see torch.in.
LEFT_OUT = {"torch": re.compile(r"nvidia-|cuda-|triton")}

# A wheel's name ends in -PYTHON-ABI-PLATFORM.whl (binary distribution format of the Python packaging guide).
TAGS = re.compile(r"-([^-]+)-([^-]+)-([^-]+)\.whl$")
PYTHON = re.compile(r"(^|\.)(py3|py2\.py3|cp311|cp312|cp313)(\.|$)")
STABLE_PYTHON = re.compile(r"^cp3([2-9]|10|11|12|13)$")
PLATFORM = re.compile(r"(^any$|manylinux.*_(x86_64|aarch64)$)")


def is_usable(wheel):
    """Whether one of the environments can install the wheel with this name."""
    python, abi, platform = TAGS.search(wheel).groups()
    fits_python = STABLE_PYTHON.match(python) if abi == "abi3" else PYTHON.search(python)
    # cp313t: the interpreter without its global lock.
    return bool(fits_python and PLATFORM.search(platform) and not abi.endswith("t"))


def resolve(source):
    """The packages that `source` needs, as uv writes them in the format of PEP 751."""
    with tempfile.TemporaryDirectory() as folder:
        lock = pathlib.Path(folder) / "pylock.toml"
        command = ["uv", "pip", "compile", "--quiet", "--universal", "--no-build", "--format", "pylock.toml"]
        subprocess.run([*command, "--python-version", OLDEST_PYTHON, "-o", lock, source], check=True)
        return tomllib.loads(lock.read_text())["packages"]


def entry(package):
    """The lines of one package."""
    wheels = {wheel["url"].rsplit("/", 1)[1]: wheel["hashes"]["sha256"] for wheel in package["wheels"]}
    hashes = sorted(sha256 for name, sha256 in wheels.items() if is_usable(name))
    if not hashes:
        raise SystemExit(f"{package['name']} {package['version']} has no wheel that can be used")
    lines = [f"{package['name']}=={package['version']}", *(f"--hash=sha256:{sha256}" for sha256 in hashes)]
    return " \\\n    ".join(lines) + "\n"


def write(name):
    left_out = LEFT_OUT.get(name)
    packages = [package for package in resolve(HERE / f"{name}.in") if not (left_out and left_out.match(package["name"]))]
    names = [package["name"] for package in packages]
    twice = sorted({other for other in names if names.count(other) > 1})
    if twice:
        raise SystemExit(f"{name}.in: several versions, by the version of Python, of {', '.join(twice)}: pin one")
    head = f"# Made from {name}.in by make_locks.py.\n"
    (HERE / f"{name}.txt").write_text(head + "".join(entry(package) for package in packages))
    print(f"{name}.txt: {len(packages)} packages")


def main():
    for name in sys.argv[1:] or sorted(path.stem for path in HERE.glob("*.in")):
        write(name)


if __name__ == "__main__":
    main()
