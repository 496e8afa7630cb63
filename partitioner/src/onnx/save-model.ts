import { copyFileSync, existsSync, linkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { constantBytes, type Constant } from '../graph/constant.js';
import type { Graph } from '../graph/graph.js';
import { writeOnnx } from './write-model.js';

/** Weights smaller than this go into the model file itself. */
const externalFromBytes = 64 * 1024;

/** A file of the folder with the same content as `path`: itself, a hard link or else a copy. */
function inFolder(path: string, folder: string): string {
  if (dirname(path) === folder) return basename(path);
  const name = `linked-${basename(path)}`;
  const target = join(folder, name);
  if (existsSync(target)) return name;
  try {
    linkSync(path, target);
  } catch {
    copyFileSync(path, target);
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
  const external = (_: string, constant: Constant) =>
    constant.file && constantBytes(constant) >= externalFromBytes
      ? { location: inFolder(constant.file.path, folder), offset: constant.file.offset }
      : undefined;
  const path = join(folder, `${name}.onnx`);
  writeFileSync(path, writeOnnx(graph, outputs, external));
  return path;
}
