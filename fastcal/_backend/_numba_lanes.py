"""The lane sum of ``docs/numerics.md`` as vector instructions, and the decorator of every kernel.

Numba runs LLVM without its SLP vectoriser and unrolls a loop over 16 lanes before the loop vectoriser sees it, so
plain Python loops stay scalar. These intrinsics write the 16 float64 lanes as one LLVM vector instead, which
every target splits into the registers it has. No instruction carries a fast-math flag: nothing is fused or reordered.

Arrays are passed as addresses: one machine-code version then serves every row stride, alignment and
writability. The caller keeps the arrays alive for the length of the call.

Numba keys its cache on disk on the file of the compiled kernel: after an edit here, remove ``__pycache__``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 16

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Compile ``function`` on first call, without the GIL, and keep the machine code on disk."""
    return cast("Function", numba.njit(cache=True, nogil=True, error_model="numpy")(function))


_F32, _F64, _I64 = ir.FloatType(), ir.DoubleType(), ir.IntType(64)
_code: Any = cgutils
_Term = Callable[[Any, Any, Any], Any]


def _product(builder: Any, a: Any, b: Any) -> Any:
    return builder.fmul(a, b)


def _squared_difference(builder: Any, a: Any, b: Any) -> Any:
    difference = builder.fsub(a, b)
    return builder.fmul(difference, difference)


def _load(builder: Any, address: Any, position: Any, element: Any, count: int) -> Any:
    """``count`` numbers from ``position`` on, as float64; a vector if there are more than one."""
    pointer = builder.gep(builder.inttoptr(address, element.as_pointer()), [position])
    narrow = element if count == 1 else ir.VectorType(element, count)
    wide = _F64 if count == 1 else ir.VectorType(_F64, count)
    value = builder.load(builder.bitcast(pointer, narrow.as_pointer()), align=1)
    return value if element is _F64 else builder.fpext(value, wide)


def _fold(builder: Any, lanes: Any) -> Any:
    """Add the upper half to the lower half until one lane is left."""
    width = LANES
    while width > 1:
        width //= 2
        halves = [ir.Constant(ir.VectorType(ir.IntType(32), width), list(range(start, start + width))) for start in (0, width)]
        low, high = (builder.shuffle_vector(lanes, ir.Constant(lanes.type, ir.Undefined), half) for half in halves)
        lanes = builder.fadd(low, high)
    return builder.extract_element(lanes, ir.Constant(ir.IntType(32), 0))


def _lane_sum(term: _Term, a_element: Any, b_element: Any) -> Callable[..., Any]:
    """Code generator of ``f(a_address, b_address, n)``: the lane sum of ``term(a[i], b[i])`` over i < n."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        a, b, n = arguments
        vector = ir.VectorType(_F64, LANES)
        lanes = _code.alloca_once_value(builder, ir.Constant(vector, [0.0] * LANES))
        lanes_per_step = ir.Constant(_I64, LANES)
        whole = builder.udiv(n, lanes_per_step)
        with _code.for_range(builder, whole) as loop:
            position = builder.mul(loop.index, lanes_per_step)
            terms = term(builder, _load(builder, a, position, a_element, LANES), _load(builder, b, position, b_element, LANES))
            builder.store(builder.fadd(builder.load(lanes), terms), lanes)
        done = builder.mul(whole, lanes_per_step)
        with _code.for_range(builder, builder.sub(n, done)) as loop:
            position = builder.add(done, loop.index)
            value = term(builder, _load(builder, a, position, a_element, 1), _load(builder, b, position, b_element, 1))
            lane = builder.trunc(loop.index, ir.IntType(32))
            current = builder.load(lanes)
            total = builder.fadd(builder.extract_element(current, lane), value)
            builder.store(builder.insert_element(current, total, lane), lanes)
        return _fold(builder, builder.load(lanes))

    return generate


def _operation(term: _Term, a_element: Any, b_element: Any) -> Any:
    """``f(a_address, b_address, n)`` for compiled code: the lane sum of ``term``."""

    def typing(_context: Any, a: Any, b: Any, n: Any) -> Any:
        del a, b, n
        return types.float64(types.int64, types.int64, types.int64), _lane_sum(term, a_element, b_element)

    return intrinsic(typing)


# Float64 query, float32 row: q·x and (q - x)². The same float32 row twice: x·x.
lane_dot = _operation(_product, _F64, _F32)
lane_distance = _operation(_squared_difference, _F64, _F32)
lane_square = _operation(_product, _F32, _F32)
