import { ByteReader, ByteWriter, CanisterError, parsePlan } from '@canopy/protocol';
import type { SavedUsage } from './access/usage.js';
import type { Coordinator } from './coordinator.js';
import { errorRecord } from './error.js';
import type { PrincipalLike } from './ic/ic.js';
import { saveWaiting, waitsAgain, type SavedWaiter } from './pipeline/hand-over.js';
import type { Released } from './pipeline/releases.js';
import type { SavedRequests } from './metrics/requests.js';
import { failedResult, type Answer } from './registry/answers.js';
import type { SavedNumber } from './registry/numbers.js';
import type { Placed, Ticket } from './registry/tickets.js';

/** A registered model as it is kept in stable memory. */
export interface SavedModel {
  name: string;
  plan: string;
  workers: PrincipalLike[];
  /** Missing in what earlier versions saved: their workers must be configured again anyway. */
  epoch?: bigint;
}

/**
 * A ticket of an earlier version, which has its place in fields of its own: the keeper is the head where it
 * is not named, and the epoch is 0.
 */
export type EarlierTicket = Omit<Ticket, 'placed'> &
  Pick<Placed, 'head' | 'requestId'> &
  Partial<Pick<Placed, 'keeper'>>;

/** Tickets and the log of requests: kept through an upgrade. */
export interface SavedTraffic {
  tickets: (Ticket | EarlierTicket)[];
  requests: SavedRequests;
  /** Results to be forgotten; earlier versions had none of what follows. */
  releases?: Released[];
  numbers?: SavedNumber[];
  /** Tickets of the answers that are kept: these are saved apart, as bytes. */
  answers?: bigint[];
  usage?: SavedUsage;
  /** Requests that wait for a head; their bytes are saved apart. */
  waiting?: SavedWaiter[];
}

export function saveModels(coordinator: Coordinator): SavedModel[] {
  return coordinator.models.all().map(({ name, planText, workers, epoch }) => ({
    name,
    plan: planText,
    workers: [...workers],
    epoch,
  }));
}

/** A model whose plan this version cannot read is kept all the same: nothing of an upgrade is lost by it. */
export function restoreModels(coordinator: Coordinator, saved: readonly SavedModel[]): void {
  for (const { name, plan, workers, epoch = 0n } of saved) {
    const model = { name, planText: plan, workers, epoch };
    try {
      coordinator.models.add({ ...model, plan: parsePlan(plan) });
      coordinator.requests.sumsOf(name);
    } catch (error) {
      coordinator.models.addUnreadable({ ...model, reason: errorRecord(error).message });
    }
  }
}

export function saveTraffic(coordinator: Coordinator): SavedTraffic {
  const { tickets, requests, releases, numbers, answers, usage } = coordinator;
  return {
    tickets: tickets.all(),
    requests: requests.save(),
    releases: releases.save(),
    numbers: numbers.save(),
    answers: answers.tickets(),
    usage: usage.save(),
    waiting: saveWaiting(coordinator),
  };
}

/** An answer as bytes: JSON of so many takes more instructions than an upgrade has. */
export function saveAnswer({ caller, bytes }: Answer): Uint8Array {
  return new ByteWriter().shortBytes(caller.toUint8Array()).bytes(bytes).finish().slice();
}
export function restoreAnswer(coordinator: Coordinator, ticket: bigint, saved: Uint8Array): void {
  const input = new ByteReader(saved, 'saved answer');
  const caller = coordinator.ic.principal(input.shortBytes());
  coordinator.answers.add(ticket, caller, input.bytes(input.remaining));
}

const interrupted = {
  ...CanisterError.cancelled,
  message: 'the coordinator was upgraded while the request was under way: ask again',
};

/**
 * Takes over what {@link saveTraffic} gave. A request that was waiting for its answer when the
 * upgrade came is logged as cancelled, and its number stands for that: the answer finds nobody. One that
 * waited for a head goes on waiting.
 * @param runs the bytes of those, by their tickets
 */
export function restoreTraffic(
  coordinator: Coordinator,
  saved: SavedTraffic,
  runs: ReadonlyMap<bigint, Uint8Array | undefined> = new Map(),
): void {
  const { tickets, requests, releases, numbers, answers } = coordinator;
  requests.restore(saved.requests);
  releases.restore(saved.releases ?? []);
  numbers.restore(saved.numbers ?? []);
  if (saved.usage) coordinator.usage.restore(saved.usage);
  const waiting = new Map(saved.waiting?.map((waiter) => [waiter.ticket, waiter]));
  for (const ticket of saved.tickets.map(presentForm)) {
    const waiter = waiting.get(ticket.id);
    const run = runs.get(ticket.id);
    if (ticket.placed !== undefined) tickets.add(ticket);
    else if (waiter && run && waitsAgain(coordinator, ticket, waiter, run)) continue;
    else answers.add(ticket.id, ticket.caller, failedResult(interrupted));
  }
  // Of those that are being released the workers still tell how they ended.
  const released = new Set(saved.releases?.map(({ ticket }) => ticket));
  for (const entry of saved.requests.entries) {
    const isKnown = tickets.find(entry.ticket) !== undefined || released.has(entry.ticket);
    if (entry.finishedAtNs === undefined && !isKnown) {
      requests.fail(entry, coordinator.ic.now(), interrupted);
    }
  }
}

function presentForm(saved: Ticket | EarlierTicket): Ticket {
  if (!('head' in saved)) return saved;
  const { head, keeper, requestId, ...ticket } = saved;
  return {
    ...ticket,
    placed: { head, keeper: keeper ?? { worker: head, stage: 0 }, requestId, epoch: 0n },
  };
}
