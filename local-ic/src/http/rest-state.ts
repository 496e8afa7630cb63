import { subnetKeysOf } from '../certification/index.js';
import { principalToText, sameId } from '../principal.js';
import type { Canister } from '../state/index.js';
import type { Blobs } from './blobs.js';
import { HttpError, MAX_PRINCIPAL_BYTES, principalOf, type BodyReader } from './body.js';
import { json, type Answer } from './exchange.js';
import type { Instance } from './instance.js';
import { base64 } from './topology.js';

/** `read/get_time` */
export function getTime({ ic }: Instance): Answer {
  return json({ nanos_since_epoch: ic.timeNs });
}

/** `update/set_time` and `update/set_certified_time`: certificates show the time that is set. */
export function setTime({ ic }: Instance, body: BodyReader): Answer {
  const nanos = body.field('nanos_since_epoch').integer();
  if (nanos < ic.timeNs) {
    throw new HttpError(400, `SettingTimeIntoPast((${ic.timeNs}, ${nanos}))`, true);
  }
  ic.setTime(nanos);
  return json(null);
}

/** `read/get_cycles` */
export function getCycles({ ic }: Instance, body: BodyReader): Answer {
  return json({ cycles: readCanister(ic, body).balance });
}

/** `update/add_cycles` */
export function addCycles({ ic }: Instance, body: BodyReader): Answer {
  const amount = body.field('amount').integer('u128');
  return json({ cycles: ic.addCycles(readCanister(ic, body).id, amount) });
}

/** `read/get_controllers` */
export function getControllers({ ic }: Instance, body: BodyReader): Answer {
  const { controllers } = readCanister(ic, body).settings;
  return json(controllers.map((id) => ({ principal_id: base64(id) })));
}

/** `read/get_stable_memory` */
export function getStableMemory({ ic }: Instance, body: BodyReader): Answer {
  return json({ blob: base64(ic.stableMemory(readCanister(ic, body).id)) });
}

/** `update/set_stable_memory`, from a blob that was uploaded before */
export function setStableMemory({ ic }: Instance, body: BodyReader, blobs: Blobs): Answer {
  const bytes = blobs.get(body.field('blob_id').bytes());
  ic.setStableMemory(readCanister(ic, body).id, bytes);
  return json(null);
}

/** `read/get_subnet`: null for a canister id of no subnet. */
export function getSubnet({ ic }: Instance, body: BodyReader): Answer {
  const subnet = ic.subnetOf(principalOf(body.field('canister_id').bytes(), 'Bad canister id'));
  return json(subnet === undefined ? null : { subnet_id: base64(subnet.id) });
}

/** `read/pub_key` */
export function publicKey({ ic }: Instance, body: BodyReader): Answer {
  const id = body.field('subnet_id').bytes();
  if (!ic.subnets.some((subnet) => sameId(subnet.id, id))) {
    throw new HttpError(400, `SubnetNotFound(${debugPrincipal(id)})`, true);
  }
  return json([...subnetKeysOf(id).publicKey]);
}

/** A principal as the server's errors print it: its length, and the bytes of its buffer. */
function debugPrincipal(id: Uint8Array): string {
  const buffer = new Uint8Array(MAX_PRINCIPAL_BYTES);
  buffer.set(id.subarray(0, MAX_PRINCIPAL_BYTES));
  return `Principal { len: ${id.length}, bytes: [${buffer.join(', ')}] }`;
}

function readCanister(ic: Instance['ic'], body: BodyReader): Canister {
  const id = principalOf(body.field('canister_id').bytes(), 'Bad canister id');
  const canister = ic.canister(id);
  if (canister === undefined) {
    throw new HttpError(400, `CanisterNotFound(CanisterId(${principalToText(id)}))`, true);
  }
  return canister;
}
