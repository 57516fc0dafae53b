"""Times topology metrics of other libraries on graphs that the bench `topology` wrote, one thread each.

topology.py FOLDER REPEATS: reads FOLDER/NAME.edges (pairs of little-endian u32) and FOLDER/NAME.nodes, and prints
lines `graph,metric,peer,seconds,value`, one a repeat. Building the peer's own graph is not timed.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import sys
import time
from pathlib import Path

import igraph
import networkit
import networkx
import numpy
import rustworkx
import scipy.sparse
from networkx.algorithms import bipartite

networkit.setNumberOfThreads(1)
# Pairs, and wedges (paths of two pairs), above which a peer that would take minutes is left out.
SLOW_PAIRS, SLOW_WEDGES = 30_000, 1_000_000


def networkit_assortativity(graph, degrees):
    # Of the degrees as an attribute, as the class asks for. It takes each pair in one direction, so that its value
    # is another one than Newman's.
    measure = networkit.correlation.Assortativity(graph, degrees)
    measure.run()
    return measure.getCoefficient()


def networkit_cores(graph):
    cores = networkit.centrality.CoreDecomposition(graph)
    cores.run()
    return sum(cores.scores())


def networkit_squares(graph):
    # One coefficient a node: the squares that it closes, which networkit has instead of the whole graph's.
    squares = networkit.centrality.LocalSquareClusteringCoefficient(graph)
    squares.run()
    return None if squares.scores() is None else float("nan")


def igraph_clustering(graph):
    # Class 8 of size 4 is the 4-cycle; paths of three pairs from degrees.
    cycles = graph.motifs_randesu(size=4)[8]
    degrees = graph.degree()
    paths = sum((degrees[a] - 1) * (degrees[b] - 1) for a, b in graph.get_edgelist())
    return 4 * cycles / paths


def scipy_clustering(matrix):
    common = matrix @ matrix
    degrees = common.diagonal()
    pairs = int((common.data * (common.data - 1) // 2).sum() - (degrees * (degrees - 1) // 2).sum())
    coo = matrix.tocoo()
    paths = int(((degrees[coo.row] - 1) * (degrees[coo.col] - 1)).sum()) // 2
    return 4 * (pairs // 4) / paths


def runs(name, nodes, edges):
    """(metric, peer, what to call) of a graph."""
    pairs = edges.tolist()
    with_igraph = igraph.Graph(n=nodes, edges=pairs)
    with_networkit = networkit.GraphFromCoo((edges[:, 0], edges[:, 1]), n=nodes)
    with_networkit.indexEdges()
    with_rustworkx = rustworkx.PyGraph()
    with_rustworkx.add_nodes_from(range(nodes))
    with_rustworkx.add_edges_from_no_data([tuple(pair) for pair in pairs])
    ones = numpy.ones(2 * len(edges), dtype=numpy.int64)
    both = numpy.concatenate([edges, edges[:, ::-1]])
    matrix = scipy.sparse.csr_array((ones, (both[:, 0], both[:, 1])), shape=(nodes, nodes))
    yield "assortativity", "igraph", lambda: with_igraph.assortativity_degree(directed=False)
    degrees = [float(with_networkit.degree(node)) for node in range(nodes)]
    yield "assortativity", "networkit", lambda: networkit_assortativity(with_networkit, degrees)
    yield "cores", "igraph", lambda: float(sum(with_igraph.coreness()))
    yield "cores", "networkit", lambda: networkit_cores(with_networkit)
    yield "cores", "rustworkx", lambda: float(sum(rustworkx.core_number(with_rustworkx).values()))
    yield "clustering", "scipy", lambda: scipy_clustering(matrix)
    if len(edges) > SLOW_PAIRS:
        return
    with_networkx = networkx.Graph()
    with_networkx.add_nodes_from(range(nodes))
    with_networkx.add_edges_from(pairs)
    yield "assortativity", "networkx", lambda: networkx.degree_assortativity_coefficient(with_networkx)
    yield "cores", "networkx", lambda: float(sum(networkx.core_number(with_networkx).values()))
    if sum(degree * (degree - 1) / 2 for degree in degrees) > SLOW_WEDGES:
        return
    yield "clustering", "igraph", lambda: igraph_clustering(with_igraph)
    yield "clustering", "networkit", lambda: networkit_squares(with_networkit)
    yield "clustering", "networkx", lambda: bipartite.robins_alexander_clustering(with_networkx)


def main():
    folder, repeats = Path(sys.argv[1]), int(sys.argv[2])
    for file in sorted(folder.glob("*.edges")):
        nodes = int(file.with_suffix(".nodes").read_text())
        edges = numpy.fromfile(file, dtype="<u4").reshape(-1, 2).astype(numpy.int64)
        for metric, peer, call in runs(file.stem, nodes, edges):
            for repeat in range(repeats):
                start = time.perf_counter()
                value = call()
                seconds = time.perf_counter() - start
                print(f"{file.stem},{metric},{peer},{seconds!r},{value!r}", flush=True)
                if seconds > 1:
                    break


main()
