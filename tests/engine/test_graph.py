"""Edges of a much-linked record come and go as cheaply as others, and the lists stay true."""

import numpy as np
import pytest

from engine.graph import EdgeKey, Graph
from engine.log import Place

HUB = 1


def added(graph: Graph, key: EdgeKey) -> None:
    graph.add(key, 1.0, 1, Place(1, 64), 40)


@pytest.mark.parametrize("seed", [1, 2])
def test_edges_are_those_of_a_set_of_keys_through_any_changes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph, expected = Graph(5_000), set[EdgeKey]()
    for _ in range(6_000):
        key = EdgeKey(*rng.integers(0, 40, 2).tolist(), int(rng.integers(0, 3)))
        row = graph.row_of(key)
        assert (row is not None) == (key in expected)
        if row is None:
            added(graph, key)
            expected.add(key)
        elif rng.random() < 0.9:
            graph.remove(row)
            expected.remove(key)
        else:
            graph.remove_record(key.source)
            expected = {edge for edge in expected if key.source not in edge[:2]}
    assert graph.n == len(expected)
    for node in range(40):
        outgoing = {(target, kind) for target, kind, _ in graph.neighbours(node)}
        incoming = {(source, kind) for source, kind, _ in graph.incoming(node)}
        assert outgoing == {(e.target, e.kind) for e in expected if e.source == node}
        assert incoming == {(e.source, e.kind) for e in expected if e.target == node}


def test_a_hub_is_found_among_many_edges_either_way_and_goes_as_a_whole() -> None:
    graph = Graph(5_000)
    for other in range(2, 1_002):
        added(graph, EdgeKey(HUB, other, 7))
        added(graph, EdgeKey(other, HUB, 7))
        added(graph, EdgeKey(other, other + 1, 7))
    assert graph.row_of(EdgeKey(HUB, 600, 7)) is not None
    assert graph.row_of(EdgeKey(600, HUB, 7)) is not None
    assert graph.row_of(EdgeKey(600, HUB, 8)) is None
    assert len(graph.remove_record(HUB)) == 2_000
    assert graph.n == 1_000
    assert [(601, 7, 1.0)] == graph.neighbours(600)


def test_an_edge_between_two_hubs_is_found() -> None:
    graph = Graph(5_000)
    for other in range(10, 1_010):
        added(graph, EdgeKey(HUB, other, 7))
        added(graph, EdgeKey(other, 2, 7))
    added(graph, EdgeKey(HUB, 2, 7))
    row = graph.row_of(EdgeKey(HUB, 2, 7))
    assert row == graph.n - 1
    assert graph.row_of(EdgeKey(HUB, 2, 6)) is None
