import { Handles } from './access/handles.js';
import { AccessPolicy } from './access/policy.js';
import { Usage } from './access/usage.js';
import type { Ic } from './ic/ic.js';
import { OwnLoad } from './pipeline/own-load.js';
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
  readonly policy: AccessPolicy;
  readonly usage: Usage;
  readonly handles: Handles;
  readonly requests: RequestLog;
  readonly releases: Releases;
  readonly ownLoad: OwnLoad;
  constructor(readonly ic: Ic) {
    this.policy = new AccessPolicy(ic);
    this.usage = new Usage(ic, this.policy);
    this.handles = new Handles(ic);
    this.releases = new Releases(ic);
    this.ownLoad = new OwnLoad(ic);
    this.requests = new RequestLog((bytes) => ic.principal(bytes));
  }
}
