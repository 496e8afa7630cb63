import { subnetKeysOf } from '../certification/index.js';
import { principalToText, sameId } from '../principal.js';
import type { Canister } from '../state/index.js';
import type { Blobs } from './blobs.js';
import { HttpError, type BodyReader } from './body.js';
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
  const canister = readCanister(ic, body);
  return json({ cycles: ic.addCycles(canister.id, body.field('amount').integer('u128')) });
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
  const canister = readCanister(ic, body);
  ic.setStableMemory(canister.id, blobs.get(body.field('blob_id').bytes()));
  return json(null);
}

/** `read/get_subnet`: null for a canister id of no subnet. */
export function getSubnet({ ic }: Instance, body: BodyReader): Answer {
  const subnet = ic.subnetOf(body.field('canister_id').bytes());
  return json(subnet === undefined ? null : { subnet_id: base64(subnet.id) });
}

/** `read/pub_key` */
export function publicKey({ ic }: Instance, body: BodyReader): Answer {
  const id = body.field('subnet_id').bytes();
  if (!ic.subnets.some((subnet) => sameId(subnet.id, id))) {
    throw new HttpError(400, `SubnetNotFound(${principalToText(id)})`, true);
  }
  return json([...subnetKeysOf(id).publicKey]);
}

function readCanister(ic: Instance['ic'], body: BodyReader): Canister {
  const id = body.field('canister_id').bytes();
  const canister = ic.canister(id);
  if (canister === undefined) {
    throw new HttpError(400, `CanisterNotFound(CanisterId(${principalToText(id)}))`, true);
  }
  return canister;
}
