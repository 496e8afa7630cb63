import { createHash } from 'node:crypto';
import { HttpError } from './body.js';

/** Uploaded bytes by their SHA-256. */
export class Blobs {
  readonly #blobs = new Map<string, Uint8Array>();

  /** Returns the hash in hex. */
  add(bytes: Uint8Array): string {
    const hash = createHash('sha256').update(bytes).digest('hex');
    this.#blobs.set(hash, bytes);
    return hash;
  }

  get(id: Uint8Array): Uint8Array {
    const hash = Buffer.from(id).toString('hex');
    const blob = this.#blobs.get(hash);
    if (blob === undefined) throw new HttpError(400, `BlobNotFound(BlobId{${hash}})`, true);
    return blob;
  }
}
