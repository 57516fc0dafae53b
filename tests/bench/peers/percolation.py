"""Percolation curves of other programs: s1, s2 and the sum of squares at every number of edges.

Each takes the spanning tree of the edges in their order, whose edges alone join components, and a
union-find over it. Reading the graph into the program's own type is not timed.
"""

import numpy as np

from rounds import median_of, serve


def read(folder):
    nodes = int(open(f"{folder}/nodes.txt").read())
    data = np.fromfile(f"{folder}/edges.bin", dtype=np.uint32)
    count = len(data) // 3
    return nodes, data[:count], data[count : 2 * count], data[2 * count :].view(np.float32)


def order_of(weights):
    """Ranks from 1 by descending weight, ties by place."""
    order = np.argsort(-weights, kind="stable")
    ranks = np.empty(len(weights), dtype=np.float64)
    ranks[order] = np.arange(1, len(weights) + 1)
    return ranks


def curve(nodes, edges, ranks, sources, targets):
    """The sums over all numbers of edges, from the tree's edges by ascending rank."""
    order = np.argsort(ranks)
    ranks = ranks[order].astype(np.int64)
    parent = list(range(nodes))
    size = [1] * nodes
    of_size = [0] * (nodes + 1)
    of_size[1] = nodes
    s1 = s2 = 1
    squares = nodes
    steps = np.zeros((len(ranks) + 1, 3), dtype=np.int64)
    steps[0] = (1, 1, nodes - 1)
    for step, (a, b) in enumerate(zip(sources[order].tolist(), targets[order].tolist()), 1):
        while parent[a] != a:
            parent[a] = parent[parent[a]]
            a = parent[a]
        while parent[b] != b:
            parent[b] = parent[parent[b]]
            b = parent[b]
        if a != b:
            if size[a] < size[b]:
                a, b = b, a
            squares += 2 * size[a] * size[b]
            of_size[size[a]] -= 1
            of_size[size[b]] -= 1
            parent[b] = a
            size[a] += size[b]
            of_size[size[a]] += 1
            if size[a] > s1:
                if of_size[s1] > 0:
                    s2 = s1
                s1 = size[a]
            elif size[a] > s2:
                s2 = size[a]
            while s2 > 0 and of_size[s2] <= (s2 == s1):
                s2 -= 1
        steps[step] = (s1, s2, squares - s1 * s1)
    lengths = np.diff(np.concatenate([[1], ranks, [edges + 1]]))
    return " ".join(str(int(total)) for total in lengths @ steps)


def scipy_peer(nodes, sources, targets, weights):
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import minimum_spanning_tree

    def run():
        ranks = order_of(weights)
        matrix = coo_matrix((ranks, (sources, targets)), shape=(nodes, nodes)).tocsr()
        tree = minimum_spanning_tree(matrix).tocoo()
        return curve(nodes, len(weights), tree.data, tree.row, tree.col)

    return run


def igraph_peer(nodes, sources, targets, weights):
    import igraph

    graph = igraph.Graph(n=nodes, edges=np.column_stack([sources, targets]))

    def run():
        ranks = order_of(weights)
        tree = np.array(graph.spanning_tree(weights=ranks, return_tree=False))
        return curve(nodes, len(weights), ranks[tree], sources[tree], targets[tree])

    return run


def networkit_peer(nodes, sources, targets, weights):
    import networkit

    networkit.setNumberOfThreads(1)
    ranks = order_of(weights)
    graph = networkit.GraphFromCoo((ranks, (sources, targets)), n=nodes, weighted=True)

    def run():
        order_of(weights)
        forest = networkit.graph.KruskalMSF(graph)
        forest.run()
        tree = np.array([(w, u, v) for u, v, w in forest.getForest().iterEdgesWeights()])
        return curve(nodes, len(weights), tree[:, 0], tree[:, 1].astype(int), tree[:, 2].astype(int))

    return run


def rustworkx_peer(nodes, sources, targets, weights):
    import rustworkx

    ranks = order_of(weights)
    graph = rustworkx.PyGraph()
    graph.add_nodes_from(range(nodes))
    graph.add_edges_from(list(zip(sources.tolist(), targets.tolist(), ranks.tolist())))

    def run():
        order_of(weights)
        tree = np.array(rustworkx.minimum_spanning_edges(graph, weight_fn=float))
        return curve(nodes, len(weights), tree[:, 2].astype(float), tree[:, 0].astype(int), tree[:, 1].astype(int))

    return run


def networkx_peer(nodes, sources, targets, weights):
    import networkx

    if len(weights) > 3_000_000:
        return None
    ranks = order_of(weights)
    graph = networkx.Graph()
    graph.add_nodes_from(range(nodes))
    graph.add_weighted_edges_from(zip(sources.tolist(), targets.tolist(), ranks.tolist()))

    def run():
        order_of(weights)
        tree = np.array([(u, v, data["weight"]) for u, v, data in networkx.minimum_spanning_edges(graph)])
        return curve(nodes, len(weights), tree[:, 2], tree[:, 0].astype(int), tree[:, 1].astype(int))

    return run


PEERS = {
    "scipy": scipy_peer,
    "igraph": igraph_peer,
    "networkit": networkit_peer,
    "rustworkx": rustworkx_peer,
    "networkx": networkx_peer,
}


def start(name, folder):
    run = PEERS[name](*read(folder))
    return run and (lambda: median_of(run, 0.05))


serve(PEERS, start)
