import { createHash } from 'node:crypto';

/**
 * A tree of labels with bytes at its leaves. Its hash tree (IC interface specification,
 * "Certificate") joins the children of a node, sorted by label, by forks: the left one holds the
 * largest power of two below their number.
 */
export abstract class Tree {
  #hash: Uint8Array | undefined;

  /** Root hash of the tree. */
  get hash(): Uint8Array {
    this.#hash ??= this.computeHash();
    return this.#hash;
  }

  protected abstract computeHash(): Uint8Array;

  /** What is left of the tree when all but the selected paths is replaced by hashes. */
  abstract prune(selection: Selection): HashTree;
}

/** A hash tree as it is written in CBOR: empty, fork, labeled, leaf or pruned. */
export type HashTree =
  | readonly [0]
  | readonly [1, HashTree, HashTree]
  | readonly [2, Uint8Array, HashTree]
  | readonly [3, Uint8Array]
  | readonly [4, Uint8Array];

/** What is wanted of a tree: all of it, or some labels. */
export type Selection = 'all' | ReadonlyMap<string, Selection>;

/** The selection of a list of paths, each a list of labels. */
export function select(paths: readonly (readonly Uint8Array[])[]): Selection {
  const root = new Map<string, Selection>();
  for (const path of paths) {
    if (path.length === 0) return 'all';
    let level = root;
    path.forEach((label, depth) => {
      const key = labelKey(label);
      const known = level.get(key);
      if (known === 'all') return;
      if (depth === path.length - 1) {
        level.set(key, 'all');
        return;
      }
      const next = (known ?? new Map<string, Selection>()) as Map<string, Selection>;
      level.set(key, next);
      level = next;
    });
  }
  return root;
}

export class Leaf extends Tree {
  constructor(readonly value: Uint8Array) {
    super();
  }

  protected override computeHash(): Uint8Array {
    return hashOf('ic-hashtree-leaf', this.value);
  }

  override prune(): HashTree {
    return [3, this.value];
  }
}

export interface Child {
  readonly label: Uint8Array;
  readonly tree: Tree;
}

export class Node extends Tree {
  readonly children: readonly Child[];

  constructor(children: readonly Child[]) {
    super();
    this.children = [...children].sort((a, b) => Buffer.compare(a.label, b.label));
  }

  /** The subtree at a label. */
  child(label: Uint8Array): Tree | undefined {
    return this.children.find((child) => Buffer.compare(child.label, label) === 0)?.tree;
  }

  protected override computeHash(): Uint8Array {
    return this.#hashRange(0, this.children.length);
  }

  override prune(selection: Selection): HashTree {
    if (this.children.length === 0) return [0];
    const wanted = selection === 'all' ? undefined : this.#wanted(selection);
    return this.#pruneRange(0, this.children.length, wanted);
  }

  /** Selections by child; where a label is missing, its neighbours prove that. */
  #wanted(selection: ReadonlyMap<string, Selection>): Map<number, Selection> {
    const wanted = new Map<number, Selection>();
    const nothing: Selection = new Map();
    for (const [key, inner] of selection) {
      const label = Buffer.from(key, 'hex');
      const index = this.#position(label);
      const found = this.children[index];
      if (found !== undefined && Buffer.compare(found.label, label) === 0) {
        wanted.set(index, inner);
        continue;
      }
      for (const neighbour of [index - 1, index]) {
        if (this.children[neighbour] !== undefined && !wanted.has(neighbour)) {
          wanted.set(neighbour, nothing);
        }
      }
    }
    return wanted;
  }

  /** Index of the first child whose label is not below the given one. */
  #position(label: Uint8Array): number {
    let low = 0;
    let high = this.children.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (Buffer.compare(this.children[middle]!.label, label) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #pruneRange(from: number, to: number, wanted: Map<number, Selection> | undefined): HashTree {
    if (wanted !== undefined && !hasKeyWithin(wanted, from, to)) {
      return [4, this.#hashRange(from, to)];
    }
    if (to - from === 1) {
      const { label, tree } = this.children[from]!;
      const inner = wanted === undefined ? 'all' : wanted.get(from)!;
      const pruned: HashTree =
        inner !== 'all' && inner.size === 0 ? [4, tree.hash] : tree.prune(inner);
      return [2, label, pruned];
    }
    const middle = from + leftSize(to - from);
    return [1, this.#pruneRange(from, middle, wanted), this.#pruneRange(middle, to, wanted)];
  }

  #hashRange(from: number, to: number): Uint8Array {
    if (from === to) return hashOf('ic-hashtree-empty');
    if (to - from === 1) {
      const { label, tree } = this.children[from]!;
      return hashOf('ic-hashtree-labeled', label, tree.hash);
    }
    const middle = from + leftSize(to - from);
    return hashOf('ic-hashtree-fork', this.#hashRange(from, middle), this.#hashRange(middle, to));
  }
}

/** A subtree of which only the hash is known. */
export class Pruned extends Tree {
  constructor(private readonly known: Uint8Array) {
    super();
  }

  protected override computeHash(): Uint8Array {
    return this.known;
  }

  override prune(): HashTree {
    return [4, this.known];
  }
}

/** A node from an object's fields. Undefined ones are left out. */
export function node(fields: Readonly<Record<string, Tree | undefined>>): Node {
  const children: Child[] = [];
  for (const [name, tree] of Object.entries(fields)) {
    if (tree !== undefined) children.push({ label: utf8(name), tree });
  }
  return new Node(children);
}

export function leaf(value: Uint8Array | string): Leaf {
  return new Leaf(typeof value === 'string' ? utf8(value) : value);
}

/** Root hash of a hash tree as written. Throws RangeError for what is none. */
export function rootHash(tree: HashTree): Uint8Array {
  switch (tree[0]) {
    case 0:
      return hashOf('ic-hashtree-empty');
    case 1:
      return hashOf('ic-hashtree-fork', rootHash(tree[1]), rootHash(tree[2]));
    case 2:
      return hashOf('ic-hashtree-labeled', tree[1], rootHash(tree[2]));
    case 3:
      return hashOf('ic-hashtree-leaf', tree[1]);
    case 4:
      return tree[1];
    default:
      throw new RangeError(`not a hash tree: node type ${String(tree[0])}`);
  }
}

/** The leaf at a path of a hash tree as written, if it is there. */
export function lookup(tree: HashTree, path: readonly Uint8Array[]): Uint8Array | undefined {
  if (path.length === 0) return tree[0] === 3 ? tree[1] : undefined;
  const found = findLabel(tree, path[0]!);
  return found === undefined ? undefined : lookup(found, path.slice(1));
}

function findLabel(tree: HashTree, label: Uint8Array): HashTree | undefined {
  if (tree[0] === 1) return findLabel(tree[1], label) ?? findLabel(tree[2], label);
  return tree[0] === 2 && Buffer.compare(tree[1], label) === 0 ? tree[2] : undefined;
}

/** SHA-256 with the length-prefixed domain separator in front. */
function hashOf(domain: string, ...parts: Uint8Array[]): Uint8Array {
  const hash = createHash('sha256').update(domainSeparator(domain));
  for (const part of parts) hash.update(part);
  return hash.digest();
}

const separators = new Map<string, Uint8Array>();

export function domainSeparator(domain: string): Uint8Array {
  let bytes = separators.get(domain);
  if (bytes === undefined) {
    bytes = Uint8Array.of(domain.length, ...utf8(domain));
    separators.set(domain, bytes);
  }
  return bytes;
}

function leftSize(count: number): number {
  let size = 1;
  while (size * 2 < count) size *= 2;
  return size;
}

function hasKeyWithin(map: ReadonlyMap<number, unknown>, from: number, to: number): boolean {
  for (const key of map.keys()) if (key >= from && key < to) return true;
  return false;
}

const labelKey = (label: Uint8Array): string => Buffer.from(label).toString('hex');

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
