"""Call graph: the deepest path counts, the library is counted once, and what has no bound is refused."""

from __future__ import annotations

import pytest

from bimetal.nouns.errors import Unsupported
from bimetal.shrink.call_graph import chain_of, graph_of

GRAPH = r"""graph: { title: "p.c"
node: { title: "p_init" label: "p_init\np.c:9:6\n8 bytes (static)" }
node: { title: "memset" label: "__builtin_memset\n<built-in>" shape : ellipse }
edge: { sourcename: "p_init" targetname: "memset" }
node: { title: "p.c:root" label: "root\np.c:12:6\n40 bytes (static)" }
edge: { sourcename: "p.c:root" targetname: "__aeabi_lmul" label: "p.c:13:2" }
node: { title: "p.c:wide" label: "wide\np.c:18:6\n100 bytes (dynamic,bounded)" }
node: { title: "p_step" label: "p_step\np.c:20:10\n200 bytes (static)" }
edge: { sourcename: "p_step" targetname: "p.c:root" label: "p.c:21:3" }
edge: { sourcename: "p_step" targetname: "p.c:wide" label: "p.c:22:3" }
edge: { sourcename: "p_step" targetname: "__aeabi_fadd" }
}
"""


def test_the_deepest_path_is_taken() -> None:
    graph = graph_of(GRAPH)
    assert graph.deepest("p_step", 48) == 300
    assert graph.deepest("p_step", 80) == 320
    assert graph.deepest("p_init", 48) == 56


def test_without_a_graph_all_functions_lie_on_each_other() -> None:
    text = "p.c:9:6:p_init\t8\tstatic\np.c:12:6:root\t40\tstatic\np.c:20:10:p_step\t200\tstatic\n"
    assert chain_of(text, "p_step").deepest("p_step", 48) == 8 + 40 + 200 + 48


def test_a_circle_has_no_bound() -> None:
    text = GRAPH + 'edge: { sourcename: "p.c:root" targetname: "p_step" }\n'
    with pytest.raises(Unsupported, match="no stack suffices"):
        graph_of(text).deepest("p_step", 48)


def test_a_function_that_takes_what_it_likes_has_no_bound() -> None:
    with pytest.raises(Unsupported, match="wide"):
        graph_of(GRAPH.replace("dynamic,bounded", "dynamic"))
    with pytest.raises(Unsupported, match="root"):
        chain_of("p.c:12:6:root\t40\tdynamic\n", "p_step")


@pytest.mark.parametrize("text", ["", "graph: { title: }", "\0" * 50])
def test_a_graph_without_the_function_says_so(text: str) -> None:
    with pytest.raises(Unsupported, match="p_step"):
        graph_of(text).deepest("p_step", 48)
