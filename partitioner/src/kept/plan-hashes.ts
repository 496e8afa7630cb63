import { createHash } from 'node:crypto';
import { env } from 'onnxruntime-node';
import { chunkCount, chunkHashes, type Shard } from '../emit/shard.js';
import type { Graph } from '../graph/graph.js';
import { dataFiles, modelHash } from '../onnx/data-files.js';
import { codeHash } from './code-hash.js';
import { changesWouldShow, identitiesOf } from './file-identity.js';
import { HashStore, type Hashes } from './hash-store.js';

/** What the hashes of a plan are of. */
export interface HashedPlan {
  path: string;
  /** As it was read from the file. */
  graph: Graph;
  shards: readonly Shard[];
  chunkBytes: number;
  /** Options that decide what the shards' bytes are, besides what their heads say. */
  options: unknown;
}

/** Hashes of a plan's model and shards. */
export interface PlanHashes {
  /** Hex, see {@link modelHash}. */
  model: string;
  /** Of each chunk of each shard. */
  chunks: readonly Hashes[];
  /** Bytes that were packed and hashed for it; 0 where all was kept from before. */
  packedBytes: number;
}

async function computed({ path, graph, shards, chunkBytes }: HashedPlan): Promise<PlanHashes> {
  return {
    chunks: shards.map((shard) => chunkHashes(shard, chunkBytes)),
    model: await modelHash(path, graph),
    packedBytes: shards.reduce((sum, shard) => sum + shard.byteLength, 0),
  };
}

/**
 * The hashes of a plan: from `folder` where they are kept for the same files, code, options and cut, else
 * computed, and kept there. Where `folder` is left out nothing is kept.
 */
export async function planHashes(plan: HashedPlan, folder?: string): Promise<PlanHashes> {
  if (folder === undefined) return computed(plan);
  const { path, graph, shards, chunkBytes, options } = plan;
  const paths = [path, ...dataFiles(path, graph)];
  const [seenMs, files] = [Date.now(), identitiesOf(paths)];
  const heads = shards.map(({ head, byteLength }) => [
    byteLength,
    createHash('sha256').update(head).digest('hex'),
  ]);
  const derivedFrom = [codeHash(), env.versions.node, files, options, chunkBytes, heads];
  const key = createHash('sha256').update(JSON.stringify(derivedFrom)).digest('hex');

  const store = new HashStore(folder);
  const counts = shards.map((shard) => chunkCount(shard, chunkBytes));
  const kept = store.get(key, 1 + counts.reduce((sum, count) => sum + count, 0));
  if (kept) {
    const rest = kept.slice(1).values();
    return {
      model: Buffer.from(kept[0]!).toString('hex'),
      chunks: counts.map((count) => Array.from({ length: count }, () => rest.next().value!)),
      packedBytes: 0,
    };
  }
  const hashes = await computed(plan);
  const isUnchanged = JSON.stringify(identitiesOf(paths)) === JSON.stringify(files);
  if (isUnchanged && changesWouldShow(files, seenMs)) {
    store.put(key, [Buffer.from(hashes.model, 'hex'), ...hashes.chunks.flat()]);
  }
  return hashes;
}
