import type { StageWork } from '../cost/stage.js';
import { Heap } from './heap.js';
import { StageMemory, type MemoryStep } from './stage-memory.js';

const pageBytes = 65536;
/** Measured: where the heap begins, behind the module's own data and the table of blocks. */
const heapStart = 111 * 1024;
/** Tables of the head: tasks and callers on pages of their own, runs; and of a last stage that keeps results. */
const hotTables = 196_608;
const runTable = 262_144;
const keptTables = 204_800;
/** Measured: a node of the program, with the values it makes. */
const programBytesPerNode = 280;
/** Bytes behind every block that kernels may read. */
const readableBehind = 64;

/** What a stage has on its heap besides activations. */
export interface StageContents {
  weightsBytes: number;
  nodes: number;
  /** Largest piece in which the shard comes. */
  chunkBytes: number;
  /** Bytes of the results that come back to the head of several stages; else 0. */
  resultBytes: number;
}

/**
 * Heap of a worker that has worked on one task, in bytes as its `status` tells them: whole pages, the most
 * there ever were.
 *
 * @param steps of the stage's nodes
 */
export function stageHeapBytes(
  steps: readonly MemoryStep[],
  work: Pick<StageWork, 'place' | 'bytesReceived' | 'bytesKept'>,
  contents: StageContents,
): number {
  const heap = new Heap(heapStart);
  const isHead = work.place === 'single' || work.place === 'first';
  if (isHead) {
    heap.alloc(hotTables, pageBytes);
    heap.alloc(runTable);
  } else if (work.bytesKept > 0) heap.alloc(keptTables);
  heap.release(heap.alloc(contents.chunkBytes));
  heap.alloc(contents.weightsBytes, pageBytes);
  heap.alloc(contents.nodes * programBytesPerNode);
  const memory = new StageMemory(work.bytesReceived, heap);
  for (const step of steps) memory.step(step, 0);
  if (work.bytesKept > 0) heap.alloc(work.bytesKept);
  memory.end();
  if (contents.resultBytes > 0) heap.alloc(contents.resultBytes);
  return Math.ceil((heap.touched + readableBehind) / pageBytes) * pageBytes;
}
