/** One entry of a canister's log. */
export interface LogRecord {
  readonly idx: bigint;
  readonly timestampNs: bigint;
  readonly content: Uint8Array;
}

/** Log of a canister: the newest records that fit into 4 KiB of contents. */
export class CanisterLog {
  static readonly MAX_BYTES = 4096;
  /** Bytes a record counts besides its content. */
  static readonly RECORD_BYTES = 40;
  records: LogRecord[] = [];
  nextIdx = 0n;
  private bytes = 0;

  /** Bytes used. */
  get usedBytes(): number {
    return this.bytes;
  }

  add(timestampNs: bigint, content: Uint8Array): void {
    const record = { idx: this.nextIdx++, timestampNs, content };
    this.records.push(record);
    this.bytes += CanisterLog.RECORD_BYTES + content.length;
    while (this.bytes > CanisterLog.MAX_BYTES && this.records.length > 0) {
      this.bytes -= CanisterLog.RECORD_BYTES + this.records.shift()!.content.length;
    }
  }

  /** Forgets the records; numbering goes on. */
  clear(): void {
    this.records = [];
    this.bytes = 0;
  }
}
