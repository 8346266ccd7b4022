"""The operators that a bundle's graphs may use, and what each makes of the shapes that it is given.

They are those that the families' exports use, with the attributes that these have. Each is a rule for shapes, so that
all sizes in a network, and the work that they mean, are known before a runtime has allocated anything. So the whole
numbers that shapes are made of are computed here, too. A family with a new operator needs a line in `OPERATORS`.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from cnnzip.networks.graph_file import FLOAT_16, FLOAT_32, INT_64

MAX_RATIO = 64
"""Of a stride, and of a block that becomes space: twice the largest stride of a model."""


class Value(NamedTuple):
    """What is known of a tensor.

    Attributes:
        type: FLOAT_32, INT_64 or FLOAT_16.
        shape: of it.
        values: all of them, where they are known: of every INT_64, and of constants.
        weight: whether it is a weight of the network.
    """

    type: int
    shape: tuple[int, ...]
    values: tuple[float, ...] | None = None
    weight: bool = False


class Result(NamedTuple):
    """The output of an operator, and what it takes to compute it."""

    value: Value
    multiplications: int = 0
    scratch: int = 0
    """Numbers that are held beside the output meanwhile."""


def require(fits: bool, what: str) -> None:
    """ValueError unless it fits."""
    if not fits:
        raise ValueError(what)


class Attributes:
    """Those of one node, each of which must be asked for."""

    def __init__(self, given: dict[str, Any]) -> None:
        self._left = given

    def take(self, name: str, default: Any) -> Any:
        """The value of one, of the same type as `default`, which it has where it is not there.

        Raises:
            ValueError: it is of another type.
        """
        value = self._left.pop(name, default)
        require(type(value) is type(default), f"the attribute '{name}' is {value!r:.50}")
        return value

    def must_be(self, **values: Any) -> None:
        """Those named have this value, or are not there.

        Raises:
            ValueError: one has another.
        """
        for name, value in values.items():
            found = self.take(name, value)
            require(found == value, f"the attribute '{name}' is {found!r:.50}, not {value!r}")

    def end(self) -> None:
        """ValueError if there are more than were asked for."""
        for name in self._left:
            raise ValueError(f"the attribute '{name}' is not known")


Operator = Callable[..., Result]
"""From the attributes and the inputs, None where one is left out, to the result."""


def _planes(x: Value) -> tuple[int, int, int, int]:
    require(x.type == FLOAT_32 and len(x.shape) == 4 and x.shape[0] == 1, "its input is not (1, C, H, W)")
    return 1, x.shape[1], x.shape[2], x.shape[3]


def _whole(x: Value) -> list[int]:
    fits = x.type == INT_64 and x.values is not None and len(x.shape) <= 1
    require(fits, "its inputs are not whole numbers")
    return [int(value) for value in x.values or ()]


def _numbers(values: Iterable[int]) -> Result:
    numbers = tuple(values)
    require(all(-1 <= number < 1 << 31 for number in numbers), "its numbers are out of range")
    return Result(Value(INT_64, (len(numbers),), numbers))


def _cast(attributes: Attributes, x: Value) -> Result:
    attributes.must_be(to=FLOAT_32, saturate=1)
    require(x.weight and x.type == FLOAT_16, "its input is not a weight in half precision")
    return Result(Value(FLOAT_32, x.shape, weight=True))


def _sum(_: Attributes, a: Value, b: Value) -> Result:
    # Nothing is repeated but single numbers: a row and a column would make a plane.
    fits = a.type == b.type == FLOAT_32 and (a.shape == b.shape or () in (a.shape, b.shape))
    require(fits, f"its inputs are {a.shape} and {b.shape}")
    return Result(Value(FLOAT_32, a.shape or b.shape))


def _pair(a: Value, b: Value) -> tuple[int, int]:
    numbers = _whole(a) + _whole(b)
    require(a.shape == b.shape == (1,), "its inputs are not single numbers")
    return numbers[0], numbers[1]


def _product(_: Attributes, a: Value, b: Value) -> Result:
    first, second = _pair(a, b)
    return _numbers([first * second])


def _quotient(_: Attributes, a: Value, b: Value) -> Result:
    whole, part = _pair(a, b)
    require(whole >= 0 and part > 0, f"it divides {whole} by {part}")
    return _numbers([whole // part])


def _shape(attributes: Attributes, x: Value) -> Result:
    start, end = attributes.take("start", 0), attributes.take("end", len(x.shape))
    return _numbers(x.shape[start:end])


def _concat(attributes: Attributes, *inputs: Value) -> Result:
    axis = attributes.take("axis", 0)
    if inputs[0].type == INT_64:
        require(axis == 0 and all(len(x.shape) == 1 for x in inputs), "its inputs are not rows of numbers")
        return _numbers(number for x in inputs for number in _whole(x))
    shapes = {_planes(x)[2:] for x in inputs}
    require(axis == 1 and len(shapes) == 1, "its inputs have different sides")
    return Result(Value(FLOAT_32, (1, sum(x.shape[1] for x in inputs), *shapes.pop())))


def _reshape(attributes: Attributes, x: Value, shape: Value) -> Result:
    attributes.take("allowzero", 0)
    sides = _whole(shape)
    require(x.type == FLOAT_32, "its input is of another type")
    require(0 < len(sides) <= 6 and sides.count(-1) <= 1 and 0 not in sides, f"its shape is {sides!r:.100}")
    total, known = math.prod(x.shape), math.prod(side for side in sides if side != -1)
    made = tuple(total // known if side == -1 else side for side in sides)
    require(math.prod(made) == total, f"{x.shape} cannot become {made!r:.100}")
    return Result(Value(FLOAT_32, made, weight=x.weight))


def _transpose(attributes: Attributes, x: Value) -> Result:
    perm = attributes.take("perm", ())
    require(x.type == FLOAT_32, "its input is of another type")
    require(sorted(perm) == list(range(len(x.shape))), f"its axes are {perm!r:.100}")
    return Result(Value(FLOAT_32, tuple(x.shape[axis] for axis in perm), weight=x.weight))


def _leaky(attributes: Attributes, x: Value) -> Result:
    slope = attributes.take("alpha", 0.01)
    require(math.isfinite(slope), "its slope is not finite")
    return _activation(attributes, x)


def _activation(_: Attributes, x: Value) -> Result:
    return Result(Value(FLOAT_32, _planes(x)))


def _window(attributes: Attributes, kernel: tuple[int, ...]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Strides, and the padding of both sides together."""
    attributes.must_be(auto_pad="NOTSET", dilations=(1, 1), kernel_shape=kernel)
    strides, pads = attributes.take("strides", (1, 1)), attributes.take("pads", (0, 0, 0, 0))
    require(
        len(strides) == 2 and all(1 <= stride <= MAX_RATIO for stride in strides), f"its strides are {strides!r:.50}"
    )
    fits = len(pads) == 4 and all(0 <= pad < side for pad, side in zip(pads, kernel * 2, strict=True))
    require(fits, f"its padding is {pads!r:.100} around {kernel}")
    return strides, (pads[0] + pads[2], pads[1] + pads[3])


def _filters(weight: Value, bias: Value | None, outputs: int) -> tuple[int, int, tuple[int, int]]:
    fits = weight.weight and weight.type == FLOAT_32 and len(weight.shape) == 4 and min(weight.shape) > 0
    fits = fits and (bias is None or (bias.weight and (bias.type, bias.shape) == (FLOAT_32, (outputs,))))
    require(fits, "its weights are none")
    return weight.shape[0], weight.shape[1], (weight.shape[2], weight.shape[3])


def _conv(attributes: Attributes, x: Value, weight: Value, bias: Value | None = None) -> Result:
    _, channels, *sides = _planes(x)
    outputs, inputs, kernel = _filters(weight, bias, weight.shape[0] if weight.shape else 0)
    strides, pads = _window(attributes, kernel)
    groups = attributes.take("group", 1)
    fits = groups > 0 and inputs * groups == channels and outputs % groups == 0
    require(fits, f"its weights are {weight.shape} for {channels} channels")
    height, width = (
        (side + pad - size) // stride + 1 for side, pad, size, stride in zip(sides, pads, kernel, strides, strict=True)
    )
    require(min(height, width) > 0, f"its kernel is larger than {sides}")
    made = outputs * height * width
    return Result(Value(FLOAT_32, (1, outputs, height, width)), made * inputs * math.prod(kernel))


def _conv_transpose(attributes: Attributes, x: Value, weight: Value, bias: Value | None = None) -> Result:
    _, channels, *sides = _planes(x)
    inputs, outputs, kernel = _filters(weight, bias, weight.shape[1] if len(weight.shape) > 1 else 0)
    strides, pads = _window(attributes, kernel)
    attributes.must_be(group=1)
    more = attributes.take("output_padding", (0, 0))
    fits = len(more) == 2 and all(0 <= side < stride for side, stride in zip(more, strides, strict=True))
    require(fits and inputs == channels, f"its weights are {weight.shape} for {channels} channels")
    height, width = (
        (side - 1) * stride - pad + size + end
        for side, stride, pad, size, end in zip(sides, strides, pads, kernel, more, strict=True)
    )
    require(min(height, width) > 0, "nothing is left of its output")
    columns = math.prod(sides) * outputs * math.prod(kernel)
    return Result(Value(FLOAT_32, (1, outputs, height, width)), columns * inputs, columns)


def _depth_to_space(attributes: Attributes, x: Value) -> Result:
    _, channels, height, width = _planes(x)
    attributes.must_be(mode="CRD")
    side = attributes.take("blocksize", 0)
    fits = 1 <= side <= MAX_RATIO and channels % side**2 == 0
    require(fits, f"its blocks of {side!r:.50} do not fit {channels} channels")
    return Result(Value(FLOAT_32, (1, channels // side**2, height * side, width * side)))


def _pool(attributes: Attributes, x: Value) -> Result:
    _, channels, height, width = _planes(x)
    attributes.must_be(auto_pad="NOTSET", kernel_shape=(2, 2), strides=(2, 2), pads=(0, 0, 0, 0), dilations=(1, 1))
    attributes.must_be(ceil_mode=0, count_include_pad=1, storage_order=0)
    require(min(height, width) > 1, f"there is nothing to pool in {height}×{width}")
    return Result(Value(FLOAT_32, (1, channels, height // 2, width // 2)))


def _resize(attributes: Attributes, x: Value, roi: Value | None, scales: Value) -> Result:
    _, channels, height, width = _planes(x)
    attributes.must_be(mode="nearest", nearest_mode="floor", coordinate_transformation_mode="asymmetric")
    attributes.must_be(keep_aspect_ratio_policy="stretch", antialias=0, exclude_outside=0)
    attributes.must_be(extrapolation_value=0.0, cubic_coeff_a=-0.75)
    require(roi is None and scales.values == (1.0, 1.0, 2.0, 2.0), "it does not double both sides")
    return Result(Value(FLOAT_32, (1, channels, 2 * height, 2 * width)))


OPERATORS: dict[str, tuple[Operator, range]] = {
    "Add": (_sum, range(2, 3)),
    "AveragePool": (_pool, range(1, 2)),
    "Cast": (_cast, range(1, 2)),
    "Concat": (_concat, range(1, 17)),
    "Conv": (_conv, range(2, 4)),
    "ConvTranspose": (_conv_transpose, range(2, 4)),
    "DepthToSpace": (_depth_to_space, range(1, 2)),
    "Div": (_quotient, range(2, 3)),
    "LeakyRelu": (_leaky, range(1, 2)),
    "MaxPool": (_pool, range(1, 2)),
    "Mul": (_product, range(2, 3)),
    "Relu": (_activation, range(1, 2)),
    "Reshape": (_reshape, range(2, 3)),
    "Resize": (_resize, range(3, 4)),
    "Shape": (_shape, range(1, 2)),
    "Sub": (_sum, range(2, 3)),
    "Transpose": (_transpose, range(1, 2)),
}
"""By ONNX's names, the rule, and how many inputs there may be."""
