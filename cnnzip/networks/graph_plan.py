"""What a graph of a bundle would do with inputs of a given size, found before a runtime sees either."""

import math
from collections.abc import Mapping
from pathlib import Path

from cnnzip.errors import BadModelError
from cnnzip.networks.graph_file import FLOAT_32, GraphFile, Node, Signature, read_graph
from cnnzip.networks.operators import OPERATORS, Attributes, Result, Value
from cnnzip.networks.weights_file import WeightsFile

MAX_MULTIPLICATIONS = 1 << 20
"""A pixel; the flagship's analysis has 2^13."""

MAX_WEIGHT_STEPS = 4
"""A cast, and what lays out the weights of a convolution that has a stride."""

MAX_NUMBERS = 1 << 12
"""A pixel, of all that a graph computes together, so that it does not matter what is freed when; the most that a
network of cnnzip's has is 2^9."""


class GraphPlan:
    """A graph whose every part is known, and that does what it should with inputs of every size that is asked for.

    Args:
        path: the graph.
        signature: what it is for.
        weights: the file in the same folder that it points into.

    Raises:
        BadModelError: it is not what a bundle may hold.
    """

    def __init__(self, path: Path, signature: Signature, weights: WeightsFile) -> None:
        self.path = path
        self.signature = signature
        self._graph: GraphFile = read_graph(path, signature, weights.spans)
        for node in self._graph.nodes:
            if node.kind not in OPERATORS:
                raise BadModelError(f"{path}: not a usable network: no bundle may have the operator '{node.kind}'")
        self._outputs: dict[tuple[int, int], tuple[int, ...]] = {}

    def output(self, shapes: Mapping[str, tuple[int, ...]]) -> tuple[int, ...]:
        """The shape of its output for inputs (1, C, H, W) of those shapes, which have the same sides.

        Raises:
            BadModelError: it fails on them, takes more work or memory than any network should, or makes something else.
        """
        height, width = next(iter(shapes.values()))[2:]
        if (height, width) not in self._outputs:
            if any(shapes.get(name) != (1, count, height, width) for name, count in self.signature.inputs.items()):
                raise self._failure(shapes, f"its inputs have {dict(self.signature.inputs)} channels")
            try:
                self._outputs[height, width] = self._run(height, width)
            except ValueError as error:
                raise self._failure(shapes, str(error)) from error
        return self._outputs[height, width]

    def _failure(self, shapes: Mapping[str, tuple[int, ...]], reason: str) -> BadModelError:
        return BadModelError(f"{self.path}: failed on {', '.join(map(str, shapes.values()))}: {reason}")

    def _run(self, height: int, width: int) -> tuple[int, ...]:
        known = {name: Value(t.type, t.shape, t.values, t.values is None) for name, t in self._graph.tensors.items()}
        for name, channels in self.signature.inputs.items():
            known[name] = Value(FLOAT_32, (1, channels, height, width))
        pixels = height * width * self.signature.cell**2
        numbers = multiplications = 0
        used: set[str] = set()
        steps: dict[str, int] = {}
        for node in self._graph.nodes:
            if node.output in known or not node.output:
                raise ValueError(f"'{node.output}' is made twice")
            try:
                result = _step(node, known)
            except ValueError as error:
                raise ValueError(f"{node.kind} '{node.output}': {error}") from None
            known[node.output] = result.value
            if result.value.weight:
                # The size of the file bounds what they take: none is made twice of another, nor after too many others.
                if node.inputs[0] in used:
                    raise ValueError(f"'{node.inputs[0]}' is used twice")
                used.add(node.inputs[0])
                steps[node.output] = steps.get(node.inputs[0], 0) + 1
                if steps[node.output] > MAX_WEIGHT_STEPS:
                    raise ValueError(f"the weight '{node.output}' is made in more than {MAX_WEIGHT_STEPS} steps")
            else:
                numbers += math.prod(result.value.shape) + result.scratch
            multiplications += result.multiplications
            if numbers > MAX_NUMBERS * pixels or multiplications > MAX_MULTIPLICATIONS * pixels:
                raise ValueError(f"{node.kind} '{node.output}' takes it beyond the work that a network may make")
        made = known.get(self._graph.output)
        wanted = self.signature.output(height, width)
        if made is None or (made.type, made.shape) != (FLOAT_32, wanted):
            raise ValueError(f"its output is {made and made.shape}, not {wanted}")
        return wanted


def _step(node: Node, known: Mapping[str, Value]) -> Result:
    operator, count = OPERATORS[node.kind]
    if len(node.inputs) not in count:
        raise ValueError(f"it has {len(node.inputs)} inputs")
    for name in node.inputs:
        if name and name not in known:
            raise ValueError(f"its input '{name}' is not made before it")
    if not node.inputs[0] or not node.inputs[-1]:
        raise ValueError("an input is left out")
    attributes = Attributes(dict(node.attributes))
    result = operator(attributes, *(known[name] if name else None for name in node.inputs))
    attributes.end()
    return result
