"""Layer kernel: a layer of a net in whole numbers is found again in a program by its letters.

It is looked for above the parameter `<name>_bias`; its letters are compared with those that the operators
DenseInt8, LinearInt8, Conv1dInt8, Conv2dInt8 and DepthwiseInt8 write for the same sizes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from bimetal.program import convolution, letter, word
from bimetal.program.node import Node
from bimetal.program.program import Draft, Param, Program
from bimetal.targets.kernels.alike import alike

DENSE, SUMS, CONV, APART = "dense", "sums", "conv", "apart"
"""A dense layer that ends in i8, one that ends in its i32 sums, a convolution, one of channels apart."""

LEAST = 4
"""Rows of weights, or channels apart, are taken four at once."""
LEAST_SHIFT = 16
"""A scale that is shifted up by the rest of 32 bits is then a whole number of 32 bits too."""
LONGEST_CHAIN = 12
LARGEST = 32767
"""Sizes of pictures are told in 16 bits."""

Users = Mapping[Node, list[Node]]


@dataclass(frozen=True, slots=True)
class LayerKernel:
    """A layer: which parameters it reads, and its sizes.

    `picture` is what it takes (h, w, c), (1, 1, columns) for a dense one; `padding` is rows and columns of
    zeros around it; `shift` is 0 for sums.
    """

    kind: str
    name: str
    picture: tuple[int, int, int]
    outputs: int
    shift: int = 0
    positive: int = 0
    size: tuple[int, int] = (1, 1)
    stride: int = 1
    padding: tuple[int, int] = (0, 0)

    @property
    def patch(self) -> int:
        """How many elements a row of weights meets; of one channel alone where they are apart."""
        return self.size[0] * self.size[1] * (1 if self.kind == APART else self.picture[2])

    @property
    def columns(self) -> int:
        """How many bytes a row of weights takes."""
        return -(-self.patch // 4) * 4

    @property
    def places(self) -> int:
        """At how many places the kernel is put."""
        spans = zip(self.picture, self.size, self.padding, strict=False)
        rows, columns = ((n + 2 * pad - part) // self.stride + 1 for n, part, pad in spans)
        return rows * columns

    @property
    def products(self) -> int:
        """How many products it adds up."""
        return self.places * self.outputs * self.patch


@dataclass(frozen=True, slots=True)
class LayerPlace:
    """A layer in a program: the node that gives its results, what it takes, and what it is."""

    root: Node
    x: Node
    kernel: LayerKernel


def layers_of(program: Program) -> Iterator[LayerPlace]:
    """Yield every layer of a program that is spelled as its operator spells it."""
    params = {p.name: p for p in program.params}
    names = [n.removesuffix("_bias") for n, p in params.items() if n.endswith("_bias") and p.dtype == "i32"]
    names = [n for n in names if f"{n}_weights" in params and params[f"{n}_weights"].dtype == "i8"]
    if not names:
        return
    users: dict[Node, list[Node]] = {}
    biases: dict[str, Node] = {}
    for node in program.nodes():
        for arg in node.args:
            users.setdefault(arg, []).append(node)
        if node.op == "param":
            biases[node.name] = node
    for name in names:
        bias = biases.get(f"{name}_bias")
        if bias is not None:
            yield from _above(bias, name, params, users)


def _above(bias: Node, name: str, params: Mapping[str, Param], users: Users) -> Iterator[LayerPlace]:
    """Try every node above a bias for the end of its layer, the farthest first."""
    chain = [bias]
    while len(users.get(chain[-1], [])) == 1 and len(chain) < LONGEST_CHAIN:
        chain.append(users[chain[-1]][0])
    if len(chain) < 2 or chain[1].op != "add":
        return
    ends = {node.op: node for node in chain[2:6]}
    for root in reversed(chain[1:]):
        place = _tried(root, chain[1], ends.get("mulshr"), name, params)
        if place is not None:
            yield place
            return


def _tried(
    root: Node, sums: Node, scaled: Node | None, name: str, params: Mapping[str, Param]
) -> LayerPlace | None:
    shift = int(scaled.attr) if scaled is not None else 0
    outputs = sums.shape[0] if len(sums.shape) == 1 else 0
    weights = params[f"{name}_weights"]
    if outputs < LEAST or (shift < LEAST_SHIFT and root is not sums):
        return None
    if root is sums:
        return _dense(root, sums, LayerKernel(SUMS, name, (1, 1, 1), outputs), weights)
    if root.dtype != "i8" or f"{name}_multiplier" not in params:
        return None
    if root.op == "cast":
        return _dense(root, sums, LayerKernel(DENSE, name, (1, 1, 1), outputs, shift), weights)
    if root.op in ("each", "reshape"):
        return _conv(root, sums, LayerKernel(CONV, name, (1, 1, 1), outputs, shift), weights)
    return None


def _dense(root: Node, sums: Node, kernel: LayerKernel, weights: Param) -> LayerPlace | None:
    """A layer of all columns: the vector is what the weights are multiplied with."""
    product = _argument(sums, "add", "reduce", "mul")
    x = product.args[1].args[0] if product is not None and product.args[1].op == "cast" else None
    if x is None or x.dtype != "i8" or len(x.shape) != 1 or len(weights.shape) != 2:
        return None
    if -(-x.size // 4) * 4 != weights.shape[1] or weights.shape[0] != kernel.outputs:
        return None
    kernel = replace(kernel, picture=(1, 1, x.size))
    return _checked(root, x, kernel)


def _conv(root: Node, sums: Node, kernel: LayerKernel, weights: Param) -> LayerPlace | None:
    """A layer that slides: its picture is what patches are gathered from."""
    items = _gathered(sums.args[0])
    if items is None or items.op != "reshape":
        return None
    inner, rows, columns = _unpadded(items.args[0])
    flat = root.op == "reshape"
    if flat and (inner.op != "reshape" or inner.shape[0] != 1):
        return None
    x = inner.args[0] if flat else inner
    apart = len(weights.shape) == 3
    if x.dtype != "i8" or (apart and kernel.outputs % LEAST) or max(inner.shape) > LARGEST:
        return None
    kernel = replace(kernel, kind=APART if apart else CONV, picture=inner.shape, padding=(rows, columns))  # pyright: ignore[reportArgumentType]
    whole = root.args[0] if flat else root
    for size, stride in _sizes(kernel, weights, whole):
        found = _checked(root, x, replace(kernel, size=size, stride=stride))
        if found is not None:
            return found
    return None


def _sizes(kernel: LayerKernel, weights: Param, whole: Node) -> Iterator[tuple[tuple[int, int], int]]:
    """Yield sizes of a kernel and strides that give as many places as there are."""
    h, w, c = (n + 2 * pad for n, pad in zip(kernel.picture, (*kernel.padding, 0), strict=True))
    if kernel.kind == APART:
        sizes = [(weights.shape[0], weights.shape[1])]
    else:
        sizes = [
            (high, wide)
            for high in range(1, h + 1)
            for wide in range(1, w + 1)
            if weights.shape[1] - 4 < high * wide * c <= weights.shape[1]
        ]
    for high, wide in sizes:
        for stride in range(1, max(h, w) + 1):
            if ((h - high) // stride + 1, (w - wide) // stride + 1) == whole.shape[:2]:
                yield (high, wide), stride


def _gathered(sums: Node) -> Node | None:
    """Return what the products below some sums are gathered from."""
    todo = [sums]
    for _ in range(LONGEST_CHAIN):
        if not todo:
            return None
        node = todo.pop()
        if node.op == "gather":
            source = node.args[0]
            return source.args[0] if source.op == "cast" else source
        # The last argument is the patch, the first of a sum its first product.
        todo = [node.args[0 if node.op == "add" else -1]] if node.args else []
    return None


def _unpadded(picture: Node) -> tuple[Node, int, int]:
    """Return a picture without the zeros around it, and how many rows and columns of them there are."""
    rows = columns = 0
    if picture.op == "concat" and picture.args[0].op == "const":
        rows, picture = picture.args[0].shape[0], picture.args[1]
    if picture.op == "each" and picture.args[0].op == "concat" and picture.args[0].args[0].op == "const":
        beside, row, *_ = picture.args[0].args
        if row.op == "gather":
            columns, picture = beside.shape[0], row.args[0]
    return picture, rows, columns


def _argument(node: Node, *ops: str) -> Node | None:
    """Follow first arguments from a node of the first name to one of the last."""
    for op, following in zip(ops, (*ops[1:], ""), strict=True):
        if node.op != op:
            return None
        node = node.args[0] if following else node
    return node


def _checked(root: Node, x: Node, kernel: LayerKernel) -> LayerPlace | None:
    """Return a place where its letters are those of the kernel, with negative results or without."""
    own = Node("input", (), x.shape, x.dtype, clock=x.clock, name="x")
    for positive in (0, 1) if kernel.shift else (0,):
        made = replace(kernel, positive=positive)
        if alike(_spelled(made, own, root), root, own, x):
            return LayerPlace(root, x, made)
    return None


def _spelled(kernel: LayerKernel, x: Node, root: Node) -> Node:
    """Return a layer of the same sizes in letters."""
    draft, name, zeros = Draft(), kernel.name, (0,) * kernel.outputs
    if kernel.kind in (DENSE, SUMS):
        weights = word.quads(draft, name, ((0,) * kernel.patch,) * kernel.outputs)
        sums = word.matvec(weights, letter.cast(x, "i32"))
        if kernel.kind == SUMS:
            return letter.add(sums, word.biased(draft, name, zeros))
        return word.scaling(draft, name, zeros, zeros, kernel.shift, kernel.positive)(sums)
    end = word.scaling(draft, name, zeros, zeros, kernel.shift, kernel.positive)
    picture = letter.reshape(x, kernel.picture) if root.op == "reshape" else x
    picture = convolution.padded(picture, *kernel.padding)
    if kernel.kind == APART:
        held = draft.param(f"{name}_weights", [[zeros] * kernel.size[1]] * kernel.size[0], "i8")
        made = convolution.depthwise(picture, held, kernel.stride, end)
    else:
        weights = word.quads(draft, name, ((0,) * kernel.patch,) * kernel.outputs)
        made = convolution.dense(picture, weights, kernel.size, kernel.stride, end)
    return letter.reshape(made, made.shape[1:]) if root.op == "reshape" else made
