import { errorCodeName, IcError, rejectCodeName, UserError } from '../errors.js';
import type { IngressCall, QueryCall } from '../ic.js';
import { resolveDestination } from '../management/index.js';
import { HttpError, type BodyReader } from './body.js';
import { json, type Answer } from './exchange.js';
import type { Answered, Instance } from './instance.js';
import type { Json } from './json.js';
import { base64 } from './topology.js';

/** Rounds that awaiting an answer executes at most. */
const MAX_ROUNDS = 100;
/** How long awaiting an answer takes on a live instance at most. */
const MAX_WAIT_MS = 300_000;

/** `update/submit_ingress_message` */
export function submitIngressMessage(instance: Instance, body: BodyReader): Answer {
  const call = readCall(body);
  return answering(() => {
    const messageId = instance.submit(call);
    const subnet =
      (call.effectiveCanisterId && instance.ic.subnetOf(call.effectiveCanisterId)) ??
      (call.canisterId.length > 0 ? instance.ic.subnetOf(call.canisterId) : undefined);
    const subnetId = call.subnetId ?? (subnet ?? instance.defaultSubnet()).id;
    return {
      Ok: {
        effective_principal: { SubnetId: base64(subnetId) },
        message_id: base64(messageId),
      },
    };
  });
}

/** `update/await_ingress_message`: executes rounds until the message is answered. */
export async function awaitIngressMessage(instance: Instance, body: BodyReader): Promise<Answer> {
  const messageId = readMessageId(body);
  const answered = await untilAnswered(instance, messageId);
  if (answered !== undefined) return json(outcome(answered));
  const id = Buffer.from(messageId).toString('hex');
  throw badIngressMessage(`Failed to answer to ingress 0x${id} after ${MAX_ROUNDS} rounds.`);
}

async function untilAnswered(
  instance: Instance,
  messageId: Uint8Array,
): Promise<Answered | undefined> {
  if (instance.progress.enabled) return instance.waitFor(messageId, MAX_WAIT_MS);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const answered = instance.answered(messageId);
    if (answered !== undefined) return answered;
    instance.tick();
    await new Promise(setImmediate);
  }
  return instance.answered(messageId);
}

/** `read/ingress_status`: null while there is no answer. */
export function ingressStatus(instance: Instance, body: BodyReader): Answer {
  const messageId = readMessageId(body.field('raw_message_id'));
  const caller = body.optional('raw_caller')?.bytes();
  const record = instance.ic.ingressRecord(messageId);
  if (record && caller && Buffer.compare(record.sender, caller) !== 0) {
    throw new HttpError(403, 'The user tries to access Request ID not signed by the caller.', true);
  }
  const answered = instance.answered(messageId);
  return json(answered === undefined ? null : outcome(answered));
}

/** `read/query` */
export function query(instance: Instance, body: BodyReader): Answer {
  const { sender, canisterId, method, arg, effectiveCanisterId } = readCall(body);
  const call: QueryCall = {
    sender,
    canisterId,
    method,
    arg,
    ...(effectiveCanisterId === undefined ? {} : { effectiveCanisterId }),
  };
  return answering(() => ({ Ok: base64(instance.ic.query(call)) }));
}

/** Answers UserErrors as rejects, and calls that no subnet takes with status 400. */
function answering(run: () => Json): Answer {
  try {
    return json(run());
  } catch (error) {
    if (error instanceof UserError) return json({ Err: reject(error, false) });
    if (error instanceof IcError) throw badIngressMessage(error.message);
    throw error;
  }
}

function badIngressMessage(message: string): HttpError {
  return new HttpError(400, `BadIngressMessage(${JSON.stringify(message)})`, true);
}

function outcome(answered: Answered): Json {
  return answered.status === 'replied'
    ? { Ok: base64(answered.reply) }
    : { Err: reject(answered.error, true) };
}

function reject(error: UserError, certified: boolean): Json {
  return {
    reject_code: rejectCodeName(error.rejectCode),
    reject_message: error.message,
    error_code: errorCodeName(error.code),
    certified,
  };
}

function readMessageId(body: BodyReader): Uint8Array {
  body.field('effective_principal');
  return body.field('message_id').bytes();
}

function readCall(body: BodyReader): IngressCall {
  const sender = body.field('sender').bytes();
  const canisterId = body.field('canister_id').bytes();
  const effective = body.field('effective_principal').variant();
  const method = body.field('method').string();
  const arg = body.field('payload').bytes();
  const call = { sender, canisterId, method, arg };
  if (effective.tag === 'CanisterId') {
    return { ...call, effectiveCanisterId: effective.body!.bytes() };
  }
  if (effective.tag === 'SubnetId') return { ...call, subnetId: effective.body!.bytes() };
  const target = canisterId.length === 0 ? managementTarget(method, arg) : undefined;
  return target === undefined ? call : { ...call, effectiveCanisterId: target };
}

/** The canister that a management call is about; it decides which subnet takes the call. */
export function managementTarget(method: string, arg: Uint8Array): Uint8Array | undefined {
  try {
    const destination = resolveDestination(method, arg, () => true);
    return destination.kind === 'canister' ? destination.id : undefined;
  } catch {
    return undefined;
  }
}
