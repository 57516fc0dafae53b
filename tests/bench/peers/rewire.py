"""Degree-preserving swaps of other programs on one layer: prints seconds of processor time and proposals of each round.

Reading the graph into the program's own type is not timed. The layer is a directed graph from sources to targets,
whose swaps keep the two sides; networkx swaps undirected graphs, which may join two sources.
"""

import time

import numpy as np

from rounds import serve


def read(folder):
    columns, rows = map(int, open(f"{folder}/nodes.txt").read().split())
    data = np.fromfile(f"{folder}/edges.bin", dtype=np.uint32)
    count = len(data) // 2
    return columns, rows, data[:count], data[count:]


def networkit_graph(columns, rows, sources, targets):
    import networkit

    networkit.setNumberOfThreads(1)
    ones = np.ones(len(sources))
    return networkit.GraphFromCoo((ones, (sources, targets)), n=columns + rows, directed=True)


def networkit_switching(columns, rows, sources, targets):
    import networkit

    graph = networkit_graph(columns, rows, sources, targets)
    # About two million proposals a round: its swaps are proposals, refused ones too.
    per_edge = 2e6 / len(sources)
    switching = networkit.randomization.EdgeSwitchingInPlace(graph, per_edge)

    def run():
        start = time.process_time()
        switching.run()
        return time.process_time() - start, per_edge * len(sources)

    return run


def networkit_curveball(columns, rows, sources, targets):
    import networkit

    graph = networkit_graph(columns, rows, sources, targets)
    rounds = 20 if len(sources) < 1_000_000 else 2

    def run():
        # In a global trade every node deals its edges anew with one other, so that it looks at each edge once; a
        # proposal looks at two.
        curveball = networkit.randomization.GlobalCurveball(graph, rounds, True, False)
        start = time.process_time()
        curveball.run()
        return time.process_time() - start, rounds * len(sources) / 2

    return run


def igraph_rewire(columns, rows, sources, targets):
    import igraph

    graph = igraph.Graph(n=columns + rows, edges=np.column_stack([sources, targets]), directed=True)

    def run():
        start = time.process_time()
        graph.rewire(n=1_000_000)
        return time.process_time() - start, 1_000_000

    return run


def networkx_swaps(columns, rows, sources, targets):
    import networkx

    if len(sources) > 1_000_000:
        return None
    graph = networkx.Graph()
    graph.add_nodes_from(range(columns + rows))
    graph.add_edges_from(zip(sources.tolist(), targets.tolist()))

    def run():
        # It counts swaps made, not proposals.
        start = time.process_time()
        networkx.double_edge_swap(graph, nswap=20_000, max_tries=10_000_000)
        return time.process_time() - start, 20_000

    return run


PEERS = {
    "networkit switching": networkit_switching,
    "networkit curveball": networkit_curveball,
    "igraph": igraph_rewire,
    "networkx": networkx_swaps,
}


serve(PEERS, lambda name, folder: PEERS[name](*read(folder)))
