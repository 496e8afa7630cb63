import { readInto, type Constant } from '../graph/constant.js';

/** Bytes that are read at once. */
const readBytes = 1 << 20;

/** A matrix of f32 numbers in lines of `length`: its rows, or its columns where it is transposed. */
export interface Lines {
  constant: Constant;
  length: number;
}

/** Half-open. */
export interface Span {
  from: number;
  to: number;
}

/** A buffer that grows as needed and is used again. */
let buffer = new Float32Array(0);

/**
 * Reads a part of each of some lines, in pieces as long as they lie together.
 *
 * @param use is given each line with where its part begins in `values`, valid until it returns
 */
export function readLines(
  { constant, length }: Lines,
  lines: Span,
  part: Span,
  use: (line: number, values: Float32Array, at: number) => void,
): void {
  const count = part.to - part.from;
  if (count <= 0) return;
  const together = count === length ? Math.max(1, Math.floor(readBytes / (length * 4))) : 1;
  if (buffer.length < together * count) buffer = new Float32Array(together * count);
  const values = buffer;
  for (let first = lines.from; first < lines.to; first += together) {
    const end = Math.min(first + together, lines.to);
    const bytes = new Uint8Array(values.buffer, 0, (end - first) * count * 4);
    readInto(constant, bytes, (first * length + part.from) * 4);
    for (let line = first; line < end; line++) use(line, values, (line - first) * count);
  }
}
