import type { RequestNumber } from '@canopy/protocol';
import { sha256 } from '../sha256.js';

const utf8 = new TextEncoder();

/** A number for a request: random, with a digest of what is asked. */
export async function newNumber(model: string, inputs: Uint8Array): Promise<RequestNumber> {
  const id = newId();
  const name = utf8.encode(model);
  const asked = new Uint8Array(4 + name.length + inputs.length);
  const view = new DataView(asked.buffer);
  view.setUint32(0, name.length, true);
  asked.set(name, 4);
  asked.set(inputs, 4 + name.length);
  const hash = await sha256(asked);
  return { id, digest: new DataView(hash.buffer).getBigUint64(0, true) };
}

/** Anonymous callers need one that is not small. */
const leastId = 1n << 32n;

function newId(): bigint {
  const [id] = crypto.getRandomValues(new BigUint64Array(1));
  return id! >= leastId ? id! : newId();
}
