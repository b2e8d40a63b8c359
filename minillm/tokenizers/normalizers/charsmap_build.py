"""Building a charsmap: from rules to a trie with shared branches, laid out in a double array."""

import struct
from collections.abc import Mapping

from .charsmap import LEAF, VALUE

Node = tuple[int, tuple[tuple[int, int], ...]]  # (value or -1, (byte, child) in order)
PATIENCE = 100  # places in vain after which later nodes of as many children start further on


def build_charsmap(rules: Mapping[bytes, bytes]) -> bytes:
    """The compiled table of rules from bytes to bytes. No rules give no bytes."""
    if not rules:
        return b""
    for old, new in rules.items():
        if not old or b"\0" in old + new:
            raise ValueError(f"rule {old!r} -> {new!r}: the old bytes are empty, or one has a NUL")
    places: dict[bytes, int] = {}
    outputs = bytearray()
    for new in sorted(set(rules.values())):
        places[new] = len(outputs)
        outputs += new + b"\0"
    nodes, root = shared_trie([(old, places[rules[old]]) for old in sorted(rules)])
    units = double_array(nodes, root)
    return struct.pack(f"<I{len(units)}I", 4 * len(units), *units) + bytes(outputs)


def shared_trie(entries: list[tuple[bytes, int]]) -> tuple[list[Node], int]:
    """(nodes, number of the root) of the trie of sorted (key, value); equal branches are one.

    The keys come in order, so a branch is complete when the next key leaves it, and can then be
    looked up among the branches there are (Daciuk, Mihov, Watson and Watson 2000).
    """
    nodes: list[Node] = []
    known: dict[Node, int] = {}
    path: list[list] = [[-1, []]]  # value and children of each node on the way to the last key
    before = b""

    def close(depth: int) -> None:
        while len(path) > depth + 1:
            value, children = path.pop()
            node = (value, tuple(children))
            if node not in known:
                known[node] = len(nodes)
                nodes.append(node)
            path[-1][1].append((before[len(path) - 1], known[node]))

    for key, value in entries:
        shared = 0
        while shared < min(len(key), len(before)) and key[shared] == before[shared]:
            shared += 1
        close(shared)
        path += [[-1, []] for _ in key[shared:]]
        path[-1][0], before = value, key
    close(0)
    nodes.append((path[0][0], tuple(path[0][1])))
    return nodes, len(nodes) - 1


def double_array(nodes: list[Node], root: int) -> list[int]:
    """The units of a trie. The children of node k lie at ``bases[k] ^ byte``, its value at 0."""
    bases: dict[int, int] = {}
    used = bytearray(256)  # 1 where a unit is taken
    used[0] = 1  # the root
    taken = {0}  # the root's own place is no base: the library's check refuses it
    starts: dict[int, int] = {}  # number of children -> where to begin to look
    for k in sorted(range(len(nodes)), key=lambda k: (k != root, -len(nodes[k][1]))):
        value, children = nodes[k]
        labels = [byte for byte, _ in children] + ([0] if value >= 0 else [])
        bases[k] = place_for(labels, used, taken, starts)
        taken.add(bases[k])
        for byte in labels:
            used[bases[k] ^ byte] = 1
    units = [0] * len(used)
    units[0] = unit_of(0, 0, bases[root], False)
    for k, (value, children) in enumerate(nodes):
        if value >= 0:
            units[bases[k]] = value | VALUE
        for byte, child in children:
            place = bases[k] ^ byte
            units[place] = unit_of(place, byte, bases[child], nodes[child][0] >= 0)
    return units


def place_for(
    labels: list[int], used: bytearray, taken: set[int], starts: dict[int, int]
) -> int:
    """A base that no other node has and at which all labels fall on free units."""
    place, trials = starts.get(len(labels), 0), 0
    while True:
        place = used.find(0, place)
        if place < 0:
            place = len(used)
            used += bytes(256)
        base = place ^ labels[0]
        if base not in taken and not any(used[base ^ byte] for byte in labels):
            break
        place += 1
        trials += 1
    if trials > PATIENCE or len(labels) == 1:
        starts[len(labels)] = place
    return base


def unit_of(place: int, byte: int, base: int, leaf: bool) -> int:
    """One unit of the trie: the byte it is for, and how far away its children are."""
    distance = place ^ base
    if distance >= 1 << 21:
        raise ValueError("too many rules for a charsmap")
    return byte | (LEAF if leaf else 0) | distance << 10
