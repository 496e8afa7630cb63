/** Callers: requests of every form, and what comes of each. */
import { parseCanisterError, type RequestNumber } from '@canopy/protocol';
import type { Case } from './cases.js';
import {
  answeredOutputs,
  coordinatorCall,
  decodeAsked,
  decodeFetched,
  fetchedOutputs,
  fingerprint,
  numberArgument,
} from './coordinator-calls.js';
import { pause, query, update, type Program } from './driver.js';
import type { Random } from './random.js';
import { callerId, type World } from './world.js';

/** One request, and what came of it. */
export interface Asked {
  caller: number;
  case: number;
  method: 'infer' | 'submit';
  /** Round in which it was sent, of the network's. */
  sentAt: number;
  rounds?: number;
  /** It was answered, or has a ticket. */
  isAccepted: boolean;
  ticket?: bigint;
  /** Undefined while it waits. `refused` where it was not accepted, `failed` where it was. */
  outcome?: 'right' | 'wrong' | 'refused' | 'failed';
  /** Code of an error. */
  code?: string;
  detail?: string;
}

/** What callers have done and hold. */
export interface Traffic {
  asked: Asked[];
  /** Tickets that were given and not released, and whose they are. */
  tickets: Map<bigint, number>;
  /** Every ticket that was ever given, and whose it is. */
  given: Map<bigint, number>;
  /** Tickets that were given for two requests. */
  doubled: bigint[];
  /** Further tickets of numbers that had one. */
  ranTwice: bigint[];
  /** The coordinator was given an earlier state: what it knew since is lost. */
  isReset: boolean;
}

export const newTraffic = (): Traffic => ({
  asked: [],
  tickets: new Map(),
  given: new Map(),
  doubled: [],
  ranTwice: [],
  isReset: false,
});

/** Times a fetch is tried again before the result is given up. */
const mostTries = 100;

/** The code of a rejection, of a canister or of the network. */
export function codeOf(text: string): string {
  const known = parseCanisterError(text);
  if (known) return known.code;
  if (/is stopped|is stopping|not running/.test(text)) return 'ic-stopped';
  if (/out of cycles|freezing/i.test(text)) return 'ic-out-of-cycles';
  if (/memory limit|memory_limit/i.test(text)) return 'ic-memory-limit';
  if (/no wasm module/i.test(text)) return 'ic-no-module';
  if (/trap|panick/i.test(text)) return 'ic-trap';
  return text === 'no answer' ? 'no-answer' : 'ic-other';
}

/** Sends one request and sees it through: fetches what has a ticket, and mostly releases it. */
export function* request(
  world: World,
  traffic: Traffic,
  random: Random,
  caller: number,
  one: Case,
): Program<Asked> {
  const method = random.chance(0.4) ? 'infer' : 'submit';
  const asked: Asked = {
    caller,
    case: one.index,
    method,
    sentAt: world.round,
    isAccepted: false,
  };
  traffic.asked.push(asked);
  const number = random.chance(0.4) ? numberOf(random) : undefined;
  const again = number !== undefined && random.chance(0.3);
  const reading = {
    byUpdate: random.chance(0.25),
    inParts: random.chance(0.15),
    isReleased: random.chance(0.9),
  };
  const send = (): Program<Asked | { ticket: bigint }> =>
    ask(world, traffic, asked, one, number === undefined ? undefined : number);
  let taken = yield* send();
  if (again && asked.isAccepted) taken = yield* askAgain(taken, send, traffic);
  if ('ticket' in taken && taken !== asked) {
    yield* read(world, traffic, random, asked, one, reading);
  }
  asked.rounds = world.round - asked.sentAt;
  return asked;
}

function numberOf(random: Random): RequestNumber {
  const id = BigInt(random.below(2 ** 31)) * 2n ** 31n + BigInt(random.below(2 ** 31));
  return { id, digest: 7n };
}

/** Sends the request; gives its ticket, or itself where it is over. */
function* ask(
  world: World,
  traffic: Traffic,
  asked: Asked,
  one: Case,
  number: RequestNumber | undefined,
): Program<Asked | { ticket: bigint }> {
  const args = [world.shape.name, one.inputs, numberArgument(number)];
  const call = coordinatorCall(world.coordinator, asked.method, args);
  const sent = yield* update(call, callerId(asked.caller));
  if (sent.error !== undefined) return end(asked, 'refused', codeOf(sent.error), sent.error);
  const reply = decodeAsked(asked.method, sent.reply);
  if ('err' in reply) {
    const outcome = asked.isAccepted ? 'failed' : 'refused';
    return end(asked, outcome, reply.err.code, reply.err.message);
  }
  asked.isAccepted = true;
  if ('ok' in reply && typeof reply.ok !== 'bigint') {
    return judge(asked, answeredOutputs(reply.ok.outputs), one);
  }
  const ticket = 'ticket' in reply ? reply.ticket : (reply.ok as bigint);
  if (asked.ticket === ticket) return { ticket };
  if (traffic.given.has(ticket)) traffic.doubled.push(ticket);
  traffic.given.set(ticket, asked.caller);
  traffic.tickets.set(ticket, asked.caller);
  asked.ticket = ticket;
  return { ticket };
}

/** The same number again stands for the same request: its ticket, or one by which its answer is fetched. */
function* askAgain(
  first: Asked | { ticket: bigint },
  send: () => Program<Asked | { ticket: bigint }>,
  traffic: Traffic,
): Program<Asked | { ticket: bigint }> {
  const second = yield* send();
  if ('ticket' in second && 'ticket' in first && !('caller' in first) && !('caller' in second)) {
    if (second.ticket !== first.ticket) traffic.ranTwice.push(second.ticket);
  }
  return second;
}

function* read(
  world: World,
  traffic: Traffic,
  random: Random,
  asked: Asked,
  one: Case,
  { byUpdate, inParts, isReleased }: { byUpdate: boolean; inParts: boolean; isReleased: boolean },
): Program {
  const sender = callerId(asked.caller);
  const ticket = asked.ticket!;
  const parts: Uint8Array[] = [];
  let have = 0;
  for (let tries = 0; ;) {
    const method = byUpdate ? 'fetch_update' : 'fetch';
    const call = coordinatorCall(world.coordinator, method, [ticket, have]);
    const got = yield* byUpdate ? update(call, sender) : query(call, sender);
    const reply = got.error === undefined ? decodeFetched(got.reply) : undefined;
    if (reply === undefined || 'err' in reply) {
      const error = reply?.err ?? {
        code: codeOf(got.error!),
        message: got.error!,
        retryable: true,
      };
      if (!error.retryable || ++tries > mostTries) {
        end(asked, 'failed', error.code, error.message);
        break;
      }
      yield* pause(1 + random.below(3));
      continue;
    }
    if ('pending' in reply) {
      yield* pause(1 + random.below(3));
      continue;
    }
    let bytes = Uint8Array.from(reply.part.bytes);
    if (inParts && have === 0 && bytes.length > 40) {
      bytes = bytes.subarray(0, 17 + random.below(bytes.length - 20));
    }
    parts.push(bytes);
    have += bytes.length;
    if (have < reply.part.total) {
      yield* pause(inParts ? 1 : 0);
      continue;
    }
    const result = fetchedOutputs(Uint8Array.from(Buffer.concat(parts)), world.outputNames);
    if ('tensors' in result) judge(asked, fingerprint(result.tensors), one);
    else end(asked, 'failed', codeOf(result.failure), result.failure);
    break;
  }
  if (isReleased) yield* release(world, traffic, ticket);
}

/** Gives a ticket back. */
export function* release(world: World, traffic: Traffic, ticket: bigint): Program {
  const sender = callerId(traffic.given.get(ticket)!);
  const call = coordinatorCall(world.coordinator, 'release', [ticket]);
  const outcome = yield* update(call, sender);
  if (outcome.error === undefined) traffic.tickets.delete(ticket);
}

function judge(asked: Asked, outputs: string, one: Case): Asked {
  if (outputs === one.alone) {
    asked.outcome = 'right';
    return asked;
  }
  const other = one.all.find(({ alone }) => alone === outputs);
  const whose = other === undefined ? 'outputs of no case' : `outputs of case ${other.index}`;
  return end(asked, 'wrong', 'wrong', `case ${one.index} of caller ${asked.caller}: ${whose}`);
}

function end(
  asked: Asked,
  outcome: NonNullable<Asked['outcome']>,
  code: string,
  detail: string,
): Asked {
  Object.assign(asked, { outcome, code, detail: detail.slice(0, 300) });
  return asked;
}
