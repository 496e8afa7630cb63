/** One entry of a canister's log. */
export interface LogRecord {
  readonly idx: bigint;
  readonly timestampNs: bigint;
  readonly content: Uint8Array;
}

/** Log of a canister, or what one message adds to it: the newest records that fit into 4 KiB. */
export class CanisterLog {
  static readonly MAX_BYTES = 4096;
  /** Bytes a record counts besides its content. */
  static readonly RECORD_BYTES = 40;
  records: LogRecord[] = [];
  private bytes = 0;

  /** Number of the first record that was ever added. */
  private readonly firstIdx: bigint;

  constructor(public nextIdx = 0n) {
    this.firstIdx = nextIdx;
  }

  /** Bytes used. */
  get usedBytes(): number {
    return this.bytes;
  }

  /** Bytes that may be added before old records are dropped. */
  get remainingBytes(): number {
    return CanisterLog.MAX_BYTES - this.bytes;
  }

  /** Adds a record; its content is cut to what the log can hold. */
  add(timestampNs: bigint, content: Uint8Array): void {
    const kept = content.subarray(0, CanisterLog.MAX_BYTES - CanisterLog.RECORD_BYTES);
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
    while (this.bytes > CanisterLog.MAX_BYTES && this.records.length > 0) {
      this.bytes -= CanisterLog.RECORD_BYTES + this.records.shift()!.content.length;
    }
  }
}
