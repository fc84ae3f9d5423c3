"""From a kernel's text to functions in memory: what this process has already, what the disk has, or what LLVM makes.

Equal text is compiled once, whatever graph it came from: a second data set, of another length, has the same text.
"""

from __future__ import annotations

import weakref

from symtape.compile import cache
from symtape.compile.module_text import ModuleText
from symtape.compile.object_code import LoadedCode, compile_text, load, unresolved
from symtape.compile.options import Options

_live: weakref.WeakValueDictionary[str, LoadedCode] = weakref.WeakValueDictionary()


def machine_code(
    module: ModuleText, names: tuple[str, ...], operations: int, options: Options
) -> tuple[str, LoadedCode]:
    """The functions of a module, compiled if they have to be.

    Parameters
    ----------
    module : ModuleText
    names : tuple of str
        The functions that are wanted.
    operations : int
        Length of the straight-line code: decides whether LLVM's passes run on it.
    options : Options

    Returns
    -------
    key : str
        Under which the cache has the code.
    code : LoadedCode
    """
    text = module.whole()
    key = cache.key(text, options)
    found = _live.get(key)
    if found is not None:
        return key, found
    symbols = sorted(module.symbols)
    kept = cache.read(key) if options.cache else None
    if kept is not None and not unresolved(symbols):
        code = load(kept[1], names, symbols)
    else:
        if operations <= options.optimize:
            data = compile_text(text, optimize=True, level=options.level)
        else:
            main, loops = module.parts()
            data = compile_text(main, loops, optimize=False, level=options.level)
        code = load(data, names, symbols)
        if options.cache:
            cache.write(key, {"symbols": symbols, "names": list(names)}, data)
    _live[key] = code
    return key, code


def kept_code(key: str) -> LoadedCode | None:
    """Machine code by its key, if this process or the cache has it."""
    found = _live.get(key)
    if found is not None:
        return found
    kept = cache.read(key)
    if kept is None or unresolved(kept[0]["symbols"]):
        return None
    code = load(kept[1], kept[0]["names"], kept[0]["symbols"])
    _live[key] = code
    return code
