import { DEFAULT_LOG_MEMORY_LIMIT } from './settings.js';

/** One entry of a canister's log. */
export interface LogRecord {
  readonly idx: bigint;
  readonly timestampNs: bigint;
  readonly content: Uint8Array;
}

/** Log of a canister, or what one message adds to it: the newest records that fit. */
export class CanisterLog {
  /** Bytes a record counts besides its content. */
  static readonly RECORD_BYTES = 40;
  records: LogRecord[] = [];
  private bytes = 0;

  /** Number of the first record that was ever added. */
  private readonly firstIdx: bigint;

  constructor(
    public nextIdx = 0n,
    private capacity = DEFAULT_LOG_MEMORY_LIMIT,
  ) {
    this.firstIdx = nextIdx;
  }

  /** Bytes that records may take; old ones are dropped where they take more. */
  get maxBytes(): number {
    return this.capacity;
  }

  resize(bytes: number): void {
    this.capacity = bytes;
    this.dropSurplus();
  }

  /** Bytes used. */
  get usedBytes(): number {
    return this.bytes;
  }

  /** Bytes that may be added before old records are dropped. */
  get remainingBytes(): number {
    return this.capacity - this.bytes;
  }

  /** Adds a record; its content is cut to what the log can hold. */
  add(timestampNs: bigint, content: Uint8Array): void {
    const kept = content.subarray(0, Math.max(0, this.capacity - CanisterLog.RECORD_BYTES));
    this.push({ idx: this.nextIdx++, timestampNs, content: kept });
  }

  /** Adds what a message printed; its records are numbered on from this log's. */
  append(delta: CanisterLog): void {
    const shift = this.nextIdx - delta.firstIdx;
    for (const record of delta.records) this.push({ ...record, idx: record.idx + shift });
    this.nextIdx = delta.nextIdx + shift;
  }

  /** Forgets the records; numbering goes on. */
  clear(): void {
    this.records = [];
    this.bytes = 0;
  }

  private push(record: LogRecord): void {
    this.records.push(record);
    this.bytes += CanisterLog.RECORD_BYTES + record.content.length;
    this.dropSurplus();
  }

  private dropSurplus(): void {
    while (this.bytes > this.capacity && this.records.length > 0) {
      this.bytes -= CanisterLog.RECORD_BYTES + this.records.shift()!.content.length;
    }
  }
}
