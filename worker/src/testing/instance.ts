/** A trap of the module or of the system interface. */
export class Trap extends Error {}

export type Imports = Record<string, WebAssembly.ImportValue>;

/** The heap as it was before a message. One message is executed at a time, so there is one. */
let saved = new Uint8Array(0);

/** An instance of the module: its heap and globals, which can be put back and copied. */
export class Instance {
  private readonly exports: WebAssembly.Exports;
  private readonly memory: WebAssembly.Memory;
  private readonly globals: WebAssembly.Global[];

  constructor(
    private readonly module: WebAssembly.Module,
    imports: Imports,
  ) {
    this.exports = new WebAssembly.Instance(module, { ic0: imports }).exports;
    this.memory = this.exports.memory as WebAssembly.Memory;
    this.globals = Object.entries(this.exports)
      .filter(([name]) => name.startsWith('mutable '))
      .map(([, global]) => global as WebAssembly.Global);
  }

  get heap(): Uint8Array {
    return new Uint8Array(this.memory.buffer);
  }

  exported(name: string): (() => void) | undefined {
    return this.exports[name] as (() => void) | undefined;
  }
  callback(index: number): (env: number) => void {
    return (this.exports.table as WebAssembly.Table).get(index) as (env: number) => void;
  }

  read(address: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, address >>> 0, length >>> 0).slice();
  }
  write(address: number, bytes: Uint8Array, offset: number, length: number): void {
    if (offset + length > bytes.length) throw new Trap('copied past the end');
    this.heap.set(bytes.subarray(offset, offset + length), address >>> 0);
  }

  /** Keeps heap and globals. Returns what puts them back, which works until the next `save`. */
  save(): () => void {
    const { heap } = this;
    const { length } = heap;
    if (saved.length < length) saved = new Uint8Array(length);
    saved.set(heap);
    const values = this.globals.map(({ value }): unknown => value);
    return () => {
      this.setHeap(saved.subarray(0, length));
      this.setGlobals(values);
    };
  }

  /** Another instance in the same state. */
  copy(imports: Imports): Instance {
    const copy = new Instance(this.module, imports);
    const missing = this.memory.buffer.byteLength - copy.memory.buffer.byteLength;
    copy.memory.grow(missing / 65536);
    copy.setHeap(this.heap);
    copy.setGlobals(this.globals.map(({ value }): unknown => value));
    return copy;
  }

  /** A heap that has grown since keeps its size, with zeros behind `bytes`. */
  private setHeap(bytes: Uint8Array): void {
    this.heap.set(bytes);
    this.heap.fill(0, bytes.length);
  }
  private setGlobals(values: unknown[]): void {
    this.globals.forEach((global, at) => {
      global.value = values[at];
    });
  }
}
