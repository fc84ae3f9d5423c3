"""A loop over the rows of a batch around a kernel: as one call, so that threads can share the rows without Python."""

from __future__ import annotations

from typing import Final

from symtape.compile.module_text import SIGNATURE, ModuleText

#: Pointers of a row that stand on the stack; more of them stand in the workspace behind all else.
_STACK_LIMIT: Final = 64

ROWS_SIGNATURE: Final = (
    f"{SIGNATURE}, ptr noalias %steps, ptr noalias %tables, i64 %begin, i64 %end, ptr noalias %stopped"
)


def define_rows(module: ModuleText, kernel: str, name: str, inputs: int, others: int, outputs: int) -> None:
    """Add ``int32 rows(in, out, work, sizes, steps, tables, begin, end, stopped)`` to a module.

    It runs the kernel for each row from ``begin`` to below ``end``. ``steps`` are the bytes from one row to the next,
    of each input and then of each output; ``tables`` is room for as many pointers as the kernel takes. It stops at the
    first row whose status is not 0, returns that status, and writes the number of the row to ``stopped``.

    Parameters
    ----------
    module : ModuleText
    kernel, name : str
        Of the kernel and of the function that is added.
    inputs : int
        Arguments that differ from row to row.
    others : int
        Further entries of ``in``, the same for all rows.
    outputs : int
    """
    count = inputs + others + outputs
    lines = ["entry:"]
    if count <= _STACK_LIMIT:
        lines.append(f"%own = alloca [{max(count, 1)} x ptr]")
    else:
        lines.append("%own = getelementptr i8, ptr %tables, i64 0")
    lines.append(f"%own.out = getelementptr ptr, ptr %own, i64 {inputs + others}")
    for k in range(inputs + others):
        lines += [f"%i{k}.p = getelementptr ptr, ptr %in, i64 {k}", f"%i{k} = load ptr, ptr %i{k}.p"]
        lines.append(f"%i{k}.t = getelementptr ptr, ptr %own, i64 {k}")
        if k < inputs:
            lines += [f"%i{k}.q = getelementptr i64, ptr %steps, i64 {k}", f"%i{k}.s = load i64, ptr %i{k}.q"]
        else:
            lines.append(f"store ptr %i{k}, ptr %i{k}.t")
    for k in range(outputs):
        lines += [f"%o{k}.p = getelementptr ptr, ptr %out, i64 {k}", f"%o{k} = load ptr, ptr %o{k}.p"]
        lines.append(f"%o{k}.t = getelementptr ptr, ptr %own.out, i64 {k}")
        lines += [f"%o{k}.q = getelementptr i64, ptr %steps, i64 {inputs + k}", f"%o{k}.s = load i64, ptr %o{k}.q"]
    lines += [
        "br label %head",
        "head:",
        "%row = phi i64 [ %begin, %entry ], [ %next, %on ]",
        "%more = icmp slt i64 %row, %end",
        "br i1 %more, label %body, label %done",
        "body:",
    ]
    for prefix, total in (("i", inputs), ("o", outputs)):
        for k in range(total):
            lines += [
                f"%{prefix}{k}.d = mul i64 %row, %{prefix}{k}.s",
                f"%{prefix}{k}.r = getelementptr i8, ptr %{prefix}{k}, i64 %{prefix}{k}.d",
                f"store ptr %{prefix}{k}.r, ptr %{prefix}{k}.t",
            ]
    lines += [
        f"%status = call i32 @{kernel}(ptr %own, ptr %own.out, ptr %work, ptr %sizes)",
        "%good = icmp eq i32 %status, 0",
        "br i1 %good, label %on, label %off",
        "on:",
        "%next = add i64 %row, 1",
        "br label %head",
        "off:",
        "store i64 %row, ptr %stopped",
        "ret i32 %status",
        "done:",
        "ret i32 0",
    ]
    module.define_function(f"define i32 @{name}({ROWS_SIGNATURE}) nounwind", lines)
