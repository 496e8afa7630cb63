import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, linkSync, realpathSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { constantBytes, type Constant } from '../graph/constant.js';
import type { Graph } from '../graph/graph.js';
import { writeOnnx } from './write-model.js';

/** Weights smaller than this go into the model file itself. */
const externalFromBytes = 64 * 1024;

/**
 * A file of the folder with the same content as `path`: itself, a hard link or else a copy. Its name
 * is made from the whole path, so that files of one name from different folders stay apart.
 */
function inFolder(path: string, folder: string): string {
  if (dirname(path) === folder) return basename(path);
  // A hard link to a symbolic link would be another symbolic link, which might lead nowhere from here.
  const source = realpathSync(path);
  const name = `linked-${createHash('sha256').update(source).digest('hex')}`;
  const target = join(folder, name);
  if (existsSync(target)) return name;
  try {
    linkSync(source, target);
  } catch {
    copyFileSync(source, target);
  }
  return name;
}

/**
 * Writes a graph as an ONNX file into a folder for intermediate files. Large weights stay in the files
 * where they are, as external data.
 *
 * @param outputs names of further values to give out
 * @returns path of the file
 */
export function saveOnnx(
  graph: Graph,
  folder: string,
  name: string,
  outputs: readonly string[] = [],
): string {
  const external = (_: string, constant: Constant) => {
    const stored = constant.packed ?? constant;
    return stored.file && constantBytes(stored) >= externalFromBytes
      ? { location: inFolder(stored.file.path, folder), offset: stored.file.offset }
      : undefined;
  };
  const path = join(folder, `${name}.onnx`);
  writeFileSync(path, writeOnnx(graph, outputs, external));
  return path;
}
