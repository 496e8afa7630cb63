import { constantBytes, type Constant } from './constant.js';

/** What is read of a constant at once, and of each of its ends at first. */
const blockBytes = 1 << 20;
const sampleBytes = 1024;

function samePlace(one: Constant, other: Constant): boolean {
  if (one === other) return true;
  const [a, b] = [one.file, other.file];
  return a !== undefined && b !== undefined && a.path === b.path && a.offset === b.offset;
}

/** Whether two constants of the same type and length have the same bytes. */
function sameBytes(one: Constant, other: Constant): boolean {
  const length = constantBytes(one);
  for (let start = 0; start < length; start += blockBytes) {
    const count = Math.min(blockBytes, length - start);
    if (Buffer.compare(one.read(start, count), other.read(start, count)) !== 0) return false;
  }
  return true;
}

/** Type, length and both ends of a constant: few that differ have the same. */
function signature(constant: Constant): string {
  const length = constantBytes(constant);
  const count = Math.min(sampleBytes, length);
  const ends = [constant.read(0, count), constant.read(length - count, count)];
  return `${constant.dtype} ${length} ${Buffer.concat(ends).toString('base64')}`;
}

/**
 * Tells which constants hold the same bytes, whatever their names and shapes: exporters write a
 * weight that is used several times once or several times. Only constants that begin and end alike are
 * read as a whole.
 */
export class Contents {
  private readonly alike = new Map<string, { constant: Constant; id: number }[]>();
  private count = 0;

  /** A number that constants of the same type and bytes share. */
  idOf(constant: Constant): number {
    const key = signature(constant);
    const candidates = this.alike.get(key) ?? [];
    const known =
      candidates.find((candidate) => samePlace(candidate.constant, constant)) ??
      candidates.find((candidate) => sameBytes(candidate.constant, constant));
    const id = known?.id ?? this.count++;
    this.alike.set(key, [...candidates, { constant, id }]);
    return id;
  }
}
