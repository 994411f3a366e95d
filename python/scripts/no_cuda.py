"""Lets torch's wheel load without the libraries for graphics cards: python no_cuda.py

torch's own libraries are linked to them (2 GB of packages), and call nothing in them as long as no card is asked for. Each gets
an empty one in its place, beside torch's: with the name and the versions that the loader asks for, and functions that report
an error. A C compiler and the binutils make them, which Rust needs to link programs too.
"""

import collections
import importlib.util
import os
import pathlib
import re
import subprocess
import tempfile

# What the packages of NVIDIA bring.
CARD_LIBRARIES = re.compile(r"lib(cu|nv|nccl)")
# Any error will do; this is cudaErrorNoDevice.
ERROR = 100


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | {"LC_ALL": "C"}).stdout


def needed(library):
    """Names of the libraries that `library` is linked to."""
    return re.findall(r"\(NEEDED\).*\[(.*)\]", output("readelf", "-d", library))


def versions(library):
    """The version of symbols that `library` asks each of the others for."""
    text = output("readelf", "-V", library)
    return {version: name for name, version in re.findall(r"File: (\S+)\s.*\n.*Name: (\S+)\s", text)}


def undefined(library):
    """Pairs of a function and its version that `library` expects from others."""
    lines = output("nm", "-D", "--undefined-only", library).splitlines()
    symbols = (line.split()[-1].partition("@") for line in lines)
    return [(name, version.lstrip("@")) for name, _, version in symbols]


def write(path, version, functions):
    """An empty library with those functions."""
    with tempfile.TemporaryDirectory() as folder:
        source, script = pathlib.Path(folder) / "empty.c", pathlib.Path(folder) / "versions"
        source.write_text("".join(f"int {name}(void) {{ return {ERROR}; }}\n" for name in sorted(functions)))
        command = ["cc", "-shared", "-fPIC", "-nostdlib", "-w", f"-Wl,-soname,{path.name}", "-o", path, source]
        if version:
            script.write_text(f"{version} {{ *; }};\n")
            command.append(f"-Wl,--version-script={script}")
        subprocess.run(command, check=True)


def main():
    folder = pathlib.Path(importlib.util.find_spec("torch").origin).with_name("lib")
    missing, asked, functions = set(), {}, collections.defaultdict(set)
    for library in sorted(folder.glob("*.so")):
        missing.update(name for name in needed(library) if CARD_LIBRARIES.match(name) and not (folder / name).exists())
        asked.update({name: version for version, name in versions(library).items()})
        for name, version in undefined(library):
            functions[version].add(name)
    for name in sorted(missing):
        version = asked.get(name, "")
        # Where functions have no versions, their names begin with the library's.
        prefix = "" if version else name.removeprefix("lib").partition(".")[0].lower()
        write(folder / name, version, [f for f in functions[version] if f.lower().startswith(prefix)])


if __name__ == "__main__":
    main()
