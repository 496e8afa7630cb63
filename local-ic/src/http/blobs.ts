import { createHash } from 'node:crypto';
import { conversionError } from './body.js';

/** Uploaded bytes by their SHA-256. */
export class Blobs {
  readonly #blobs = new Map<string, Uint8Array>();

  /** Returns the hash in hex. */
  add(bytes: Uint8Array): string {
    const hash = createHash('sha256').update(bytes).digest('hex');
    this.#blobs.set(hash, bytes);
    return hash;
  }

  /** Bytes by their hash in hex. */
  find(hash: string): Uint8Array | undefined {
    return this.#blobs.get(hash);
  }

  /** Bytes by their hash. Throws HttpError. */
  get(id: Uint8Array): Uint8Array {
    const blob = this.find(Buffer.from(id).toString('hex'));
    if (blob === undefined) throw conversionError('Bad blob id');
    return blob;
  }
}
