import { CanisterError, parsePlan } from '@canopy/protocol';
import type { Coordinator } from './coordinator.js';
import type { PrincipalLike } from './ic/ic.js';
import type { Released } from './pipeline/releases.js';
import type { SavedRequests } from './metrics/requests.js';
import type { Ticket } from './registry/tickets.js';

/** A registered model as it is kept in stable memory. */
export interface SavedModel {
  name: string;
  plan: string;
  workers: PrincipalLike[];
  /** Missing in what earlier versions saved: their workers must be configured again anyway. */
  epoch?: bigint;
}

/** A ticket; those of earlier versions name no epoch, nor where the result is kept: at the head. */
export type SavedTicket = Omit<Ticket, 'keeper' | 'epoch'> &
  Partial<Pick<Ticket, 'keeper' | 'epoch'>>;

/** Tickets and the log of requests: kept through an upgrade. */
export interface SavedTraffic {
  tickets: SavedTicket[];
  requests: SavedRequests;
  /** Results to be forgotten; earlier versions had none. */
  releases?: Released[];
}

export function saveModels(coordinator: Coordinator): SavedModel[] {
  return coordinator.models.all().map(({ name, planText, workers, epoch }) => ({
    name,
    plan: planText,
    workers: [...workers],
    epoch,
  }));
}

export function restoreModels(coordinator: Coordinator, saved: readonly SavedModel[]): void {
  for (const { name, plan, workers, epoch = 0n } of saved) {
    coordinator.models.add({ name, plan: parsePlan(plan), planText: plan, workers, epoch });
  }
}

export function saveTraffic(coordinator: Coordinator): SavedTraffic {
  const { tickets, requests, releases } = coordinator;
  return { tickets: tickets.all(), requests: requests.save(), releases: releases.save() };
}

/**
 * Takes over what {@link saveTraffic} gave. A request that was waiting for its answer when the
 * upgrade came is logged as cancelled: the answer finds nobody.
 */
export function restoreTraffic(coordinator: Coordinator, saved: SavedTraffic): void {
  for (const ticket of saved.tickets) {
    coordinator.tickets.add({
      ...ticket,
      keeper: ticket.keeper ?? { worker: ticket.head, stage: 0 },
      epoch: ticket.epoch ?? 0n,
    });
  }
  coordinator.requests.restore(saved.requests);
  coordinator.releases.restore(saved.releases ?? []);
  const ticketed = new Set(saved.tickets.map((ticket) => ticket.id));
  for (const entry of saved.requests.entries) {
    if (entry.finishedAtNs === undefined && !ticketed.has(entry.ticket)) {
      coordinator.requests.fail(entry, coordinator.ic.now(), {
        ...CanisterError.cancelled,
        message: 'the coordinator was upgraded while the request was under way: ask again',
      });
    }
  }
}
