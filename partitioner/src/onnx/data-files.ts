import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { dirname, relative, sep } from 'node:path';
import type { Graph } from '../graph/graph.js';

/** Bytes that are hashed at once. */
const readBytes = 1 << 20;

/** Files beside a model in which weights lie, each once, in the order of their names. */
export function dataFiles(path: string, graph: Graph): string[] {
  const files = new Set<string>();
  for (const { file } of graph.constants.values()) {
    if (file && file.path !== path) files.add(file.path);
  }
  return [...files].sort();
}

async function fileHash(path: string): Promise<string> {
  const hash = createHash('sha256');
  const file = await open(path);
  try {
    const buffer = new Uint8Array(readBytes);
    for (let at = 0; ;) {
      const { bytesRead } = await file.read(buffer, 0, readBytes, at);
      if (bytesRead === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
  } finally {
    await file.close();
  }
}

/**
 * Hex SHA-256 of a model with its weights: of the file itself where all weights lie in it. Else over one
 * line of text for each file, its hash, two spaces and its path from the model's folder (the form of
 * `sha256sum`), the model's own first.
 */
export async function modelHash(path: string, graph: Graph): Promise<string> {
  const own = await fileHash(path);
  const beside = dataFiles(path, graph);
  if (beside.length === 0) return own;
  const all = createHash('sha256').update(`${own}  model\n`);
  for (const file of beside) {
    const name = relative(dirname(path), file).split(sep).join('/');
    all.update(`${await fileHash(file)}  ${name}\n`);
  }
  return all.digest('hex');
}
