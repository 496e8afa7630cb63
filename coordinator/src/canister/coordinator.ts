import { CoordinatorLoad } from '@canopy/protocol';
import type { Ic } from './ic/ic.js';
import { Releases } from './pipeline/releases.js';
import { RequestLog } from './metrics/requests.js';
import { ModelRegistry } from './registry/models.js';
import { AnswerStore } from './registry/answers.js';
import { NumberStore } from './registry/numbers.js';
import { TicketStore, type Placed } from './registry/tickets.js';

/** All state of the canister, handed to each method. */
export class Coordinator {
  readonly models = new ModelRegistry();
  readonly tickets = new TicketStore();
  readonly numbers = new NumberStore();
  readonly answers = new AnswerStore();
  /** Released requests of which it is still asked what they cost. */
  readonly settling = new Set<Placed>();
  readonly requests: RequestLog;
  readonly releases: Releases;
  /** What requests take of this canister's thread. */
  readonly ownLoad = new CoordinatorLoad();

  constructor(readonly ic: Ic) {
    this.releases = new Releases(ic);
    this.requests = new RequestLog((bytes) => ic.principal(bytes));
  }
}
