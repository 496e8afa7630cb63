import { builtin } from './platform.js';

interface CryptoModule {
  createHash(name: 'sha256'): { update(bytes: Uint8Array): { digest(): Uint8Array } };
}

/** SHA-256 by the platform's own implementation: Node's, which copies nothing, or the browser's. */
export async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  const node = builtin('node:crypto') as CryptoModule | undefined;
  const hash = node
    ? node.createHash('sha256').update(bytes).digest()
    : await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return new Uint8Array(hash);
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Bytes of a hexadecimal text; the caller has checked that it is one. */
export function fromHex(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length / 2 }, (_, index) =>
    Number.parseInt(text.slice(index * 2, index * 2 + 2), 16),
  );
}
