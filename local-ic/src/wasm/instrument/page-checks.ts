import { enlarged } from './function-code.js';

/** Where the code that checks a page finds an address. */
export const Source = {
  /** the address is a constant */
  constant: 0,
  /** a local variable holds it */
  local: 1,
  /** it is on top of the stack at the access: kept in a temporary just before */
  top: 2,
  /** it is below the operands of a store: kept in a temporary where it was computed */
  producer: 3,
  /** it is below a store's value, computed where nothing can be inserted: both are respilled */
  below: 4,
} as const;

const WINDOW = 65536;
const READ = 0;
const WRITE = 1;

/**
 * Decides where a function must check that pages were touched before.
 *
 * Addresses are known as a "root" (a value computed once in the function, by number) plus an
 * offset. Within a run of instructions that cannot be left early, all accesses from one root are
 * one group, checked once, at its first access, for its lowest and its highest byte: a span of at
 * most 64 KiB lies on the pages of its two ends. A page once touched stays touched for the rest of
 * the message, so what was checked for a root holds wherever the check dominates.
 */
export class PageChecks {
  // Checks to emit, chained by row.
  checkCount = 0;
  head = new Int32Array(1024);
  next = new Int32Array(64);
  isWrite = new Uint8Array(64);
  /** Ends of the span relative to the source's value; a NaN end needs no check. */
  low = new Float64Array(64);
  high = new Float64Array(64);
  source = new Uint8Array(64);
  sourceIndex = new Int32Array(64);
  /** The root that the check is about, and the offset of the source's value from it. */
  root = new Int32Array(64);
  sourceOffset = new Float64Array(64);
  // Temporaries to keep, by row: 1 + slot, 0 for none.
  teeBefore = new Int32Array(1024);
  teeAfter = new Int32Array(1024);
  respill = new Int32Array(1024);

  // What is known of each root: spans checked for reading and for writing.
  private known = [new Float64Array(2048), new Float64Array(2048)];
  private knownFunction = new Int32Array(1024);
  private functionNumber = 0;
  // Undo log of `known`, so that knowledge can be scoped to a block.
  private logRoot: number[] = [];
  private logMode: number[] = [];
  private logLow: number[] = [];
  private logHigh: number[] = [];

  // The groups of the current run.
  private groupCount = 0;
  private groupRoot = new Int32Array(64);
  private groupRow = new Int32Array(64);
  private groupSource = new Uint8Array(64);
  private groupIndex = new Int32Array(64);
  private groupOffset = new Float64Array(64);
  private groupProducer = new Int32Array(64);
  private span = [new Float64Array(128), new Float64Array(128)];
  private groupOfRoot = new Int32Array(1024);
  private groupRun = new Int32Array(1024);
  private run = 0;

  beginFunction(rows: number): void {
    if (this.head.length <= rows) {
      this.head = new Int32Array(rows * 2);
      this.teeBefore = new Int32Array(rows * 2);
      this.teeAfter = new Int32Array(rows * 2);
      this.respill = new Int32Array(rows * 2);
    }
    this.head.fill(0, 0, rows + 1);
    this.teeBefore.fill(0, 0, rows + 1);
    this.teeAfter.fill(0, 0, rows + 1);
    this.respill.fill(0, 0, rows + 1);
    this.checkCount = 0;
    this.functionNumber++;
    this.run++;
    this.groupCount = 0;
    this.logRoot.length = 0;
    this.logMode.length = 0;
    this.logLow.length = 0;
    this.logHigh.length = 0;
  }

  /**
   * An access of bytes `[low, high)` relative to `root`, to be checked before `row`. `source` and `sourceIndex` (local
   * or temporary slot) tell where the value `root + sourceOffset` is found, `producer` the row that
   * computes it (for `Source.producer`).
   */
  access(
    row: number,
    root: number,
    low: number,
    high: number,
    write: boolean,
    source: number,
    sourceIndex: number,
    sourceOffset: number,
    producer: number,
  ): void {
    if (root >= this.groupOfRoot.length) this.growRoots(root);
    const mode = write ? WRITE : READ;
    let group = this.groupRun[root] === this.run ? this.groupOfRoot[root]! : -1;
    if (group >= 0 && !this.fits(group, low, high)) group = -1;
    if (group < 0) {
      group = this.groupCount++;
      if (group === this.groupRoot.length) this.growGroups();
      this.groupRoot[group] = root;
      this.groupRow[group] = row;
      this.groupSource[group] = source;
      this.groupIndex[group] = sourceIndex;
      this.groupOffset[group] = sourceOffset;
      this.groupProducer[group] = producer;
      this.span[READ]![2 * group] = Infinity;
      this.span[READ]![2 * group + 1] = -Infinity;
      this.span[WRITE]![2 * group] = Infinity;
      this.span[WRITE]![2 * group + 1] = -Infinity;
      this.groupOfRoot[root] = group;
      this.groupRun[root] = this.run;
    }
    const span = this.span[mode]!;
    if (low < span[2 * group]!) span[2 * group] = low;
    if (high > span[2 * group + 1]!) span[2 * group + 1] = high;
  }

  /** Whether the group still spans at most 64 KiB with `[low, high)` added. */
  private fits(group: number, low: number, high: number): boolean {
    const reads = this.span[READ]!;
    const writes = this.span[WRITE]!;
    const first = Math.min(reads[2 * group]!, writes[2 * group]!, low);
    const last = Math.max(reads[2 * group + 1]!, writes[2 * group + 1]!, high);
    return last - first <= WINDOW;
  }

  /** Ends the current run: its groups become checks, unless what is known makes them needless. */
  endRun(): void {
    for (let group = 0; group < this.groupCount; group++) {
      this.settle(group, WRITE);
      this.settle(group, READ);
    }
    this.groupCount = 0;
    this.run++;
  }

  private settle(group: number, mode: number): void {
    const low = this.span[mode]![2 * group]!;
    const high = this.span[mode]![2 * group + 1]!;
    if (low > high) return;
    const root = this.groupRoot[group]!;
    const known = this.known[mode]!;
    const isKnown = this.knownFunction[root] === this.functionNumber;
    let knownLow = isKnown ? known[2 * root]! : Infinity;
    let knownHigh = isKnown ? known[2 * root + 1]! : -Infinity;
    if (knownLow <= low && knownHigh >= high) return;
    let needLow = true;
    let needHigh = true;
    if (Math.max(knownHigh, high) - Math.min(knownLow, low) <= WINDOW) {
      needLow = low < knownLow;
      needHigh = high > knownHigh;
      knownLow = Math.min(knownLow, low);
      knownHigh = Math.max(knownHigh, high);
    } else {
      knownLow = low;
      knownHigh = high;
    }
    if (needLow && high - low === 1) needHigh = false;
    this.emit(group, mode, needLow ? low : NaN, needHigh ? high - 1 : NaN);
    this.learn(root, mode, knownLow, knownHigh);
    if (mode === WRITE) this.learn(root, READ, knownLow, knownHigh);
  }

  private emit(group: number, mode: number, low: number, high: number): void {
    if (this.checkCount + 1 === this.next.length) this.growChecks();
    const check = ++this.checkCount;
    const row = this.groupRow[group]!;
    const source = this.groupSource[group]!;
    const index = this.groupIndex[group]!;
    this.isWrite[check] = mode;
    this.low[check] = low - this.groupOffset[group]!;
    this.high[check] = high - this.groupOffset[group]!;
    this.source[check] = source;
    this.sourceIndex[check] = index;
    this.root[check] = this.groupRoot[group]!;
    this.sourceOffset[check] = this.groupOffset[group]!;
    this.append(row, check);
    if (source === Source.top) this.teeBefore[row] = index + 1;
    else if (source === Source.producer) this.teeAfter[this.groupProducer[group]!] = index + 1;
    else if (source === Source.below) this.respill[row] = index + 1;
  }

  private append(row: number, check: number): void {
    this.next[check] = 0;
    let last = this.head[row]!;
    if (last === 0) {
      this.head[row] = check;
      return;
    }
    while (this.next[last] !== 0) last = this.next[last]!;
    this.next[last] = check;
  }

  private learn(root: number, mode: number, low: number, high: number): void {
    if (this.knownFunction[root] !== this.functionNumber) {
      this.knownFunction[root] = this.functionNumber;
      for (const known of this.known) {
        known[2 * root] = Infinity;
        known[2 * root + 1] = -Infinity;
      }
    }
    const known = this.known[mode]!;
    this.logRoot.push(root);
    this.logMode.push(mode);
    this.logLow.push(known[2 * root]!);
    this.logHigh.push(known[2 * root + 1]!);
    known[2 * root] = low;
    known[2 * root + 1] = high;
  }

  /** What is known now, to come back to with `forget`. */
  mark(): number {
    return this.logRoot.length;
  }

  /** Forgets what was learnt since `mark`, where control may come from before. */
  forget(mark: number): void {
    for (let i = this.logRoot.length - 1; i >= mark; i--) {
      const known = this.known[this.logMode[i]!]!;
      known[2 * this.logRoot[i]!] = this.logLow[i]!;
      known[2 * this.logRoot[i]! + 1] = this.logHigh[i]!;
    }
    this.logRoot.length = mark;
    this.logMode.length = mark;
    this.logLow.length = mark;
    this.logHigh.length = mark;
  }

  private growRoots(root: number): void {
    const length = Math.max(root + 1, this.groupOfRoot.length * 2);
    this.groupOfRoot = withLength(this.groupOfRoot, length, Int32Array);
    this.groupRun = withLength(this.groupRun, length, Int32Array);
    this.knownFunction = withLength(this.knownFunction, length, Int32Array);
    this.known = this.known.map((known) => withLength(known, 2 * length, Float64Array));
  }

  private growGroups(): void {
    const length = this.groupRoot.length * 2;
    this.groupRoot = enlarged(this.groupRoot);
    this.groupRow = enlarged(this.groupRow);
    this.groupIndex = enlarged(this.groupIndex);
    this.groupProducer = enlarged(this.groupProducer);
    this.groupSource = withLength(this.groupSource, length, Uint8Array);
    this.groupOffset = withLength(this.groupOffset, length, Float64Array);
    this.span = this.span.map((span) => withLength(span, 2 * length, Float64Array));
  }

  private growChecks(): void {
    const length = this.next.length * 2;
    this.next = enlarged(this.next);
    this.sourceIndex = enlarged(this.sourceIndex);
    this.isWrite = withLength(this.isWrite, length, Uint8Array);
    this.source = withLength(this.source, length, Uint8Array);
    this.root = withLength(this.root, length, Int32Array);
    this.sourceOffset = withLength(this.sourceOffset, length, Float64Array);
    this.low = withLength(this.low, length, Float64Array);
    this.high = withLength(this.high, length, Float64Array);
  }
}

interface Column<T> {
  set(source: T): void;
}
function withLength<T extends Column<T>>(
  old: T,
  length: number,
  create: new (length: number) => T,
): T {
  const grown = new create(length);
  grown.set(old);
  return grown;
}
