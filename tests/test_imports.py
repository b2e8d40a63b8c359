"""Imports run one way: what is below knows nothing of what is above it, families not of another."""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "minillm"

# From low to high. Names on one line know nothing of each other. Data stands below tokenizers: it
# keeps ids in files, and a tokenizer writes such files; generation below models: it asks for scores
# and does not care whose they are.
LAYERS = """
files threads blas backends checks token_names
ops autograd
kernels
nn vectors
tokenizers.text
tokenizers.patterns
tokenizers.normalizers
tokenizers.decoders
tokenizers.pre_tokenizers
tokenizers.post_processors
tokenizers.special_tokens
tokenizers.stages
tokenizers.vocabulary
tokenizers.counting
tokenizers.bpe tokenizers.word tokenizers.unigram tokenizers.bytepiece
tokenizers.wordpiece
tokenizers.sentencepiece
tokenizers.trainers tokenizers.formats
data
tokenizers.stage_by_stage
tokenizers.places
tokenizers.rows
tokenizers.encoding
tokenizers.explaining tokenizers.file_encoding
tokenizers.tokenizer
tokenizers
chinese
generation
models
interop residual
training
show porter scoreboard scores storyteller small_models
cli
demo
__main__
""".strip().splitlines()
RANKS = {name: rank for rank, line in enumerate(LAYERS) for name in line.split()}
COMPILERS = {"numba", "llvmlite"}


@cache
def imports():
    """module -> the modules of the package, or outside of it, that it names anywhere in it."""
    files = {}
    for path in ROOT.rglob("*.py"):
        parts = path.relative_to(ROOT.parent).with_suffix("").parts
        files[".".join(parts[:-1] if path.stem == "__init__" else parts)] = path
    found = {}
    for module, path in files.items():
        package = module.split(".") if path.stem == "__init__" else module.split(".")[:-1]
        found[module] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found[module] |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                base = package[: len(package) + 1 - node.level] if node.level else []
                source = ".".join([*base, *([node.module] if node.module else [])])
                names = {f"{source}.{alias.name}" for alias in node.names}
                found[module] |= {name if name in files else source for name in names}
    return found


def layer(module):
    """The longest name in LAYERS that a module of the package begins with."""
    parts = module.split(".")[1:]
    for size in range(len(parts), 0, -1):
        if ".".join(parts[:size]) in RANKS:
            return ".".join(parts[:size])
    raise AssertionError(f"{module} stands in no layer: give it a place in LAYERS")


def arrows():
    """(module, module it imports), both inside the package; the package itself has no layer."""
    return [
        (module, other) for module, others in imports().items() for other in sorted(others)
        if other.startswith("minillm.") and module != "minillm"
    ]


def test_arrows_run_one_way():
    wrong = [
        f"{module} imports {other}" for module, other in arrows()
        if layer(module) != layer(other) and RANKS[layer(other)] >= RANKS[layer(module)]
    ]
    assert not wrong, "\n".join(wrong)


def test_no_circles():
    left = {module: {o for m, o in arrows() if m == module} - {module} for module in imports()}
    while free := [module for module, others in left.items() if not others & left.keys()]:
        for module in free:
            del left[module]
    assert not left, f"these import each other: {sorted(left)}"


@pytest.mark.parametrize("compiler", sorted(COMPILERS))
def test_only_kernels_import_the_compiler(compiler):
    wrong = [
        module for module, others in imports().items()
        if any(other.split(".")[0] == compiler for other in others)
        and not module.startswith("minillm.kernels.") and not module.endswith("_kernel")
    ]
    assert not wrong, wrong


def defined(path):
    """The names of the functions, classes and values that a module defines itself."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (target.id for target in targets if isinstance(target, ast.Name))


def test_no_module_has_the_name_of_what_it_defines():
    # Were ``minillm/ops/attention.py`` to define ``attention`` and the package to export it,
    # ``import minillm.ops.attention as module`` would give the function.
    wrong = [
        str(path.relative_to(ROOT)) for path in sorted(ROOT.rglob("*.py"))
        if (path.parent.name if path.stem == "__init__" else path.stem) in defined(path)
    ]
    assert not wrong, wrong


def test_no_package_exports_a_name_that_hides_a_module():
    wrong = []
    for path in sorted(ROOT.rglob("__init__.py")):
        modules = {other.stem for other in path.parent.glob("*.py")}
        modules |= {other.parent.name for other in path.parent.glob("*/__init__.py")}
        wrong += [f"{path.parent.name}.{name}" for name in defined(path) if name in modules]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[-1] in (
                    modules):
                wrong += [f"{path.parent.name}.{alias.asname or alias.name}"
                          for alias in node.names if (alias.asname or alias.name) in modules]
    assert not wrong, wrong
