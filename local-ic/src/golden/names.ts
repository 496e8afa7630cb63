import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { principalToText } from '../principal.js';

/** The canister and subnet ids of a case by their names in it, and expansion of placeholders. */
export class Names {
  readonly #ids = new Map<string, Uint8Array>();
  readonly #modules = new Map<string, string>();

  constructor(private readonly moduleDirectory: string) {}

  set(name: string, id: Uint8Array): void {
    this.#ids.set(name, id);
  }

  entries(): IterableIterator<[string, Uint8Array]> {
    return this.#ids.entries();
  }

  /** A canister by its name, `management`, or its id in hex. */
  canister(name: string): Uint8Array {
    if (name === 'management') return new Uint8Array();
    return this.#ids.get(name) ?? fromHex(name);
  }

  /** `anonymous`, `userN`, or a canister. */
  sender(name: string): Uint8Array {
    if (name === 'anonymous') return Uint8Array.of(4);
    const user = /^user(\d+)$/.exec(name);
    if (user) return new Uint8Array(29).fill(0x10 + Number(user[1]), 0, 28).fill(2, 28);
    return this.canister(name);
  }

  /** Bytes of a hex string with placeholders. */
  bytes(pattern: string): Uint8Array {
    return fromHex(this.hex(pattern));
  }

  hex(pattern: string): string {
    return pattern.replace(/\{([^}]*)\}/g, (whole, inner: string) => {
      const [kind, first, count] = inner.split(':');
      if (kind === 'rep') return first!.repeat(Number(count));
      if (kind === 'module') return this.#module(first!);
      if (kind === 't')
        return toHex(new TextEncoder().encode(principalToText(this.#id(first!, whole))));
      return toHex(this.#id(inner, whole));
    });
  }

  /** A text with placeholders for canisters. */
  text(pattern: string): string {
    return pattern.replace(/\{(c\d+|subnet\d+)\}/g, (whole, name: string) =>
      this.#ids.has(name) ? principalToText(this.#id(name, whole)) : whole,
    );
  }

  #id(name: string, placeholder: string): Uint8Array {
    const id = this.#ids.get(name);
    if (id === undefined)
      throw new Error(`placeholder ${placeholder} names no known canister or subnet`);
    return id;
  }

  #module(file: string): string {
    let hex = this.#modules.get(file);
    if (hex === undefined) {
      hex = toHex(readFileSync(join(this.moduleDirectory, file)));
      this.#modules.set(file, hex);
    }
    return hex;
  }
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

export function fromHex(hex: string): Uint8Array {
  const bytes = Buffer.from(hex, 'hex');
  if (bytes.length * 2 !== hex.length) throw new Error(`not hexadecimal: ${hex.slice(0, 60)}`);
  return new Uint8Array(bytes);
}
