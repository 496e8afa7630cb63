import { errorCodeName, IcError, rejectCodeName, UserError } from '../errors.js';
import type { IngressCall, QueryCall } from '../ic.js';
import { CandidError, decode } from '../management/candid/index.js';
import { resolveDestination } from '../management/index.js';
import { provisionalCreateArgs } from '../management/types.js';
import { subnetForCall } from '../scheduler/index.js';
import { conversionError, HttpError, principalOf, type BodyReader } from './body.js';
import { json, type Answer } from './exchange.js';
import type { Answered, Instance } from './instance.js';
import type { Json } from './json.js';
import { base64 } from './topology.js';

const MESSAGE_ID_BYTES = 32;
const NO_EFFECTIVE_PRINCIPAL =
  'Effective principal must be specified for all calls but canister creation via the provisional management canister API.';
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
  const messageId = readMessageId(instance, body);
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
  const message = body.field('raw_message_id');
  const callerField = body.optional('raw_caller')?.field('principal_id');
  const messageId = readMessageId(instance, message);
  const caller = callerField && principalOf(callerField.bytes(), 'Bad caller principal');
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

/** The id of a message with the place where it is looked for. Throws HttpError. */
function readMessageId(instance: Instance, body: BodyReader): Uint8Array {
  const place = readEffectivePrincipal(body.field('effective_principal'));
  const messageId = body.field('message_id').bytes();
  if (messageId.length !== MESSAGE_ID_BYTES) throw conversionError('Bad message id');
  if (place.subnetId === undefined && place.effectiveCanisterId === undefined) {
    throw badIngressMessage(NO_EFFECTIVE_PRINCIPAL);
  }
  answering(() => {
    subnetForCall(instance.ic.subnets, { canisterId: new Uint8Array(0), ...place });
    return null;
  });
  return messageId;
}

interface EffectivePrincipal {
  readonly subnetId?: Uint8Array;
  readonly effectiveCanisterId?: Uint8Array;
}

function readEffectivePrincipal(field: BodyReader): EffectivePrincipal {
  const { tag, body } = field.oneOf('None', 'SubnetId', 'CanisterId');
  if (tag === 'None') return {};
  if (body === undefined)
    throw field.invalid(`invalid type: unit variant, expected newtype variant`);
  return tag === 'CanisterId'
    ? { effectiveCanisterId: principalOf(body.bytes(), 'Bad effective canister id') }
    : { subnetId: principalOf(body.bytes(), 'Bad subnet id') };
}

function readCall(body: BodyReader): IngressCall {
  // Everything is read as JSON before anything is taken for what it stands for.
  const sender = body.field('sender').bytes();
  const canisterId = body.field('canister_id').bytes();
  const effectiveField = body.field('effective_principal');
  const method = body.field('method').string();
  const arg = body.field('payload').bytes();
  const effective = readEffectivePrincipal(effectiveField);
  const call = {
    sender: principalOf(sender, 'Bad sender principal'),
    canisterId: principalOf(canisterId, 'Bad canister id'),
    method,
    arg,
    ...effective,
  };
  if (canisterId.length > 0 || effective.subnetId || effective.effectiveCanisterId) return call;
  checkCreation(arg);
  const target = managementTarget(method, arg);
  return target === undefined ? call : { ...call, effectiveCanisterId: target };
}

/** A call of the management canister without an effective principal is read as a creation's. */
function checkCreation(arg: Uint8Array): void {
  try {
    decode(provisionalCreateArgs, arg);
  } catch (error) {
    if (!(error instanceof CandidError)) throw error;
    const causes = error.message.replace(': ', '\n\nCaused by:\n    ');
    throw badIngressMessage(`Error decoding candid: Custom(${causes})`);
  }
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
