import type { Ic } from './ic/ic.js';
import { OwnLoad } from './pipeline/own-load.js';
import { Releases } from './pipeline/releases.js';
import { RequestLog } from './metrics/requests.js';
import { ModelRegistry } from './registry/models.js';
import { TicketStore } from './registry/tickets.js';

/** All state of the canister, handed to each method. */
export class Coordinator {
  readonly models = new ModelRegistry();
  readonly tickets = new TicketStore();
  readonly requests: RequestLog;
  readonly releases: Releases;
  readonly ownLoad: OwnLoad;
  constructor(readonly ic: Ic) {
    this.releases = new Releases(ic);
    this.ownLoad = new OwnLoad(ic);
    this.requests = new RequestLog((bytes) => ic.principal(bytes));
  }
}
