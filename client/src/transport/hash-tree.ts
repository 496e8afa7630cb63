/** A hash tree as certificates have it (interface specification, "Certificates"). */
export type HashTree =
  [0] | [1, HashTree, HashTree] | [2, Uint8Array, HashTree] | [3, Uint8Array] | [4, Uint8Array];

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}

/** The subtrees of a tree by their labels. */
function* labelled(tree: HashTree): Generator<[Uint8Array, HashTree]> {
  if (tree[0] === 1) {
    yield* labelled(tree[1]);
    yield* labelled(tree[2]);
  }
  if (tree[0] === 2) yield [tree[1], tree[2]];
}

/** The value at a path; undefined where there is none, or it is left out. Hashes are not looked at. */
export function lookUp(
  tree: HashTree,
  path: readonly (string | Uint8Array)[],
): Uint8Array | undefined {
  let at: HashTree | undefined = tree;
  for (const step of path) {
    const label = typeof step === 'string' ? new TextEncoder().encode(step) : step;
    at = [...labelled(at)].find(([name]) => isSame(name, label))?.[1];
    if (!at) return undefined;
  }
  return at[0] === 3 ? at[1] : undefined;
}
