"""Exact betweenness of other programs, not normalised, on one thread.

Making the program's own graph is not timed. Answers: seconds of one run, sum and maximum.
"""

import numpy as np

from rounds import median_of, serve


def read(folder):
    nodes = int(open(f"{folder}/nodes.txt").read())
    data = np.fromfile(f"{folder}/edges.bin", dtype=np.uint32)
    count = len(data) // 3
    return nodes, list(zip(data[:count].tolist(), data[count : 2 * count].tolist()))


def igraph_peer(nodes, edges, directed):
    import igraph

    graph = igraph.Graph(n=nodes, edges=edges, directed=True)
    return lambda: graph.betweenness(directed=directed)


def networkit_peer(nodes, edges, directed):
    import networkit

    networkit.setNumberOfThreads(1)
    graph = networkit.Graph(nodes, directed=directed)
    for source, target in edges:
        graph.addEdge(source, target)

    def run():
        found = networkit.centrality.Betweenness(graph)
        found.run()
        # networkit counts an undirected pair of ends from both sides.
        return np.array(found.scores()) / (1 if directed else 2)

    return run


def rustworkx_peer(nodes, edges, directed):
    import rustworkx

    graph = (rustworkx.PyDiGraph if directed else rustworkx.PyGraph)()
    graph.add_nodes_from(range(nodes))
    graph.add_edges_from_no_data(edges)
    calculate = rustworkx.digraph_betweenness_centrality if directed else rustworkx.graph_betweenness_centrality
    return lambda: list(calculate(graph, normalized=False, parallel_threshold=10**9).values())


def networkx_peer(nodes, edges, directed):
    import networkx

    if nodes * len(edges) > (1e9 if directed else 4e6):
        return None
    graph = (networkx.DiGraph if directed else networkx.Graph)()
    graph.add_nodes_from(range(nodes))
    graph.add_edges_from(edges)
    return lambda: list(networkx.betweenness_centrality(graph, normalized=False).values())


PEERS = {
    f"{name} {kind}": (peer, kind == "directed")
    for name, peer in [
        ("igraph", igraph_peer),
        ("networkit", networkit_peer),
        ("rustworkx", rustworkx_peer),
        ("networkx", networkx_peer),
    ]
    for kind in ("undirected", "directed")
}


def start(name, folder):
    peer, directed = PEERS[name]
    run = peer(*read(folder), directed)

    def work():
        seconds, values = median_of(run, 5e-3)
        return seconds, float(np.sum(values)), float(np.max(values))

    return run and work


serve(PEERS, start)
