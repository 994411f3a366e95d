"""Says what a model's file is, by what is in it, without running any of it: python inspect_model.py JOB

Reports `{"kind": ..., "framework": ..., "runs_code": [reasons]}`, or `{"unknown": what it is}`. `runs_code` says why
loading or converting the file could do anything that the user can. It needs nothing but Python's own library.

What is looked for was read off the loaders: `torch.export.load` resolves the names of functions in a program to anything below
the module `torch`, and evaluates its expressions as Python; operators of TorchScript can write files; `keras.saving`
calls what a configuration names; an operator of a SavedModel can read and write files; a pickle is a program.
"""

import json
import pathlib
import pickletools
import re
import sys
import zipfile
import zlib

# A file is looked at in memory, up to here; weights are not.
MOST_BYTES = 256 << 20

# Functions of a `.pt2` that compute and do nothing else.
TARGET = re.compile(
    r"torch\.ops\.(aten|prims|quantized_decomposed|higher_order)\.(?!from_file|save)\w+(\.\w+)?|torch\.(_?sym_\w+)|math\.\w+"
    r"|_operator\.(add|sub|mul|floordiv|truediv|mod|pow|neg|pos|lt|le|gt|ge|eq|ne|and_|or_|not_|getitem)"
)
# Numbers, operators, symbols of dimensions and the functions of expressions; no attributes, no strings but names.
EXPRESSION = re.compile(r"(\d+(\.\d+)?|[suzf]{1,2}\d+|[A-Z]\w*|'\w+'|[a-z_]+=(True|False)|int_oo|oo|[-+*/%()<>=!&|~, ])*")
# Operators of TorchScript that open files, and calls of Python.
SCRIPT_FILES = re.compile(r"\b(aten|torch|debugprims|prim|profiler)\.(save|from_file|load_tensor|\w*PythonOp)\b")
# Operators of TensorFlow that open files or call Python.
GRAPH_FILES = (b"ReadFile", b"WriteFile", b"PyFunc", b"PrintV2", b"LoadLibrary", b"MatchingFiles", b"FixedLengthRecordReader")

# What torch.save wrote before its files were zip archives begins with: a number in a pickle.
TORCH_MAGIC = (0x1950A86A20F9469CFC6C).to_bytes(10, "little")
COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x5d\x00", b"\x04\x22\x4d\x18", b"\x78\x01", b"\x78\x9c", b"\x78\xda", b"\x78\x5e")


def member(archive, name):
    """The text of a member, bounded: its header may lie about the length."""
    with archive.open(name) as stream:
        data = stream.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise ValueError(f"{name} is larger than {MOST_BYTES >> 20} MB")
    return data


def walk(value):
    """All objects (dictionaries) in a JSON document."""
    open_values = [value]
    while open_values:
        value = open_values.pop()
        if isinstance(value, dict):
            yield value
            open_values += value.values()
        elif isinstance(value, list):
            open_values += value


def exported_program(archive, names):
    """Reasons why `torch.export.load` of the archive could run code."""
    for name in names:
        if name.endswith((".so", ".cpp", ".cubin", ".o")) or "/aotinductor/" in f"/{name}":
            yield f"it holds machine code ({name})"
        if "/models/" in f"/{name}" and not name.endswith(".json"):
            yield f"its program is in a strange file ({name})"
        if not name.endswith(".json"):
            continue
        for entry in walk(json.loads(member(archive, name))):
            expression = entry.get("expr_str")
            for target in (entry.get("target"), entry.get("as_operator")):
                if isinstance(target, str) and not TARGET.fullmatch(target):
                    yield f"it calls {target}"
            if isinstance(expression, str) and not EXPRESSION.fullmatch(expression):
                yield f"it evaluates {expression}"
            if entry.get("use_pickle") or str(entry.get("path_name", "")).startswith(("custom_obj", "opaque_obj")):
                yield "it holds a pickle"


def torch_script(archive, names):
    """Reasons why `torch.jit.load` of the archive could do more than compute."""
    for name in names:
        if "/code/" in name and name.endswith(".py"):
            for found in SCRIPT_FILES.finditer(member(archive, name).decode("utf-8", "replace")):
                yield f"it calls {found.group()}"


def keras_model(archive):
    """Reasons why `keras.saving.load_model` of the archive could run code."""
    for entry in walk(json.loads(member(archive, "config.json"))):
        name, module = entry.get("class_name"), entry.get("module")
        if name in ("Lambda", "__lambda__"):
            yield "it has a Lambda layer, which is a function of Python"
        elif isinstance(module, str) and module.split(".")[0] != "keras" and module != "builtins":
            yield f"it calls {module}.{name}"


def globals_of(data):
    """Names of modules that a pickle may import."""
    try:
        arguments = [argument for _, argument, _ in pickletools.genops(data)]
    except ValueError:
        # Arrays lie between the opcodes of joblib's files.
        return {found.group().decode() for found in re.finditer(rb"[a-z_]\w*(\.\w+)+", data)}
    return {argument.split(" ")[0] for argument in arguments if isinstance(argument, str)}


def found(kind, framework, runs_code=()):
    return {"kind": kind, "framework": framework, "runs_code": list(dict.fromkeys(runs_code))[:5]}


def of_archive(path):
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if len(set(names)) < len(names):
            # One reader takes the first of a name, another the last.
            raise ValueError("two members of the archive have one name")
        if "config.json" in names and "model.weights.h5" in names:
            return found("keras", "tensorflow", keras_model(archive))
        inner = {name.partition("/")[2] for name in names}
        if "serialized_exported_program.json" in names or any(name.startswith("models/") for name in inner):
            return found("exported-program", "torch", exported_program(archive, names))
        if "constants.pkl" in inner and any(name.startswith("code/") for name in inner):
            return found("torchscript", "torch", torch_script(archive, names))
        if "data.pkl" in inner:
            return found("torch-pickle", "torch", ["it is a pickle, which is a program"])
    return {"unknown": "a zip archive of another kind"}


def of_bytes(path, data):
    if data[4:8] == b"TFL3":
        return {"unknown": "TFLite, which needs no conversion: give it to build-model"}
    if data.startswith(b"\x89HDF"):
        return {"unknown": "HDF5, perhaps of Keras 2: load it there and save it as .keras"}
    pickle = data[:1] == b"\x80" and data[1:2] in b"\x02\x03\x04\x05"
    if pickle or data.startswith(COMPRESSED):
        of_torch = TORCH_MAGIC in data[:32] or pickle and any(name.split(".")[0] == "torch" for name in globals_of(data))
        kind, framework = ("torch-pickle", "torch") if of_torch else ("sklearn", "sklearn")
        return found(kind, framework, ["it is a pickle, which is a program"])
    # Field 1 of ModelProto, the version of the format, and another field after it.
    if re.match(rb"\x08[\x01-\x20][\x12\x1a\x22\x2a\x32\x3a\x42]", data):
        return {"unknown": "ONNX, which needs no conversion"}
    return {"unknown": "none of the formats"}


def inspect(path):
    graph = path / "saved_model.pb"
    if path.is_dir():
        if not graph.is_file():
            return {"unknown": "a folder without saved_model.pb"}
        data = graph.read_bytes()
        return found("saved-model", "tensorflow", [f"its graph has {name.decode()}" for name in GRAPH_FILES if name in data])
    if zipfile.is_zipfile(path):
        return of_archive(path)
    with path.open("rb") as stream:
        return of_bytes(path, stream.read(MOST_BYTES))


def main():
    job = json.loads(pathlib.Path(sys.argv[1]).read_text())
    try:
        answer = inspect(pathlib.Path(job["file"]))
    except (ValueError, KeyError, EOFError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
        answer = {"unknown": f"damaged: {error}"}
    pathlib.Path(job["report"]).write_text(json.dumps(answer))


if __name__ == "__main__":
    main()
