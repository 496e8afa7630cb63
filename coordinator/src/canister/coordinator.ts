import { CoordinatorLoad } from '@canopy/protocol';
import { Handles } from './access/handles.js';
import { AccessPolicy } from './access/policy.js';
import { Usage } from './access/usage.js';
import type { Ic } from './ic/ic.js';
import { logReleased, logUnasked } from './pipeline/log-end.js';
import { Gathered } from './pipeline/together.js';
import { Releases } from './pipeline/releases.js';
import { RequestLog } from './metrics/requests.js';
import { ModelRegistry } from './registry/models.js';
import { AnswerStore } from './registry/answers.js';
import { NumberStore } from './registry/numbers.js';
import { TicketStore } from './registry/tickets.js';

/** All state of the canister, handed to each method. */
export class Coordinator {
  readonly models = new ModelRegistry();
  readonly tickets = new TicketStore();
  readonly numbers = new NumberStore();
  readonly answers = new AnswerStore();
  readonly policy: AccessPolicy;
  readonly usage: Usage;
  readonly handles: Handles;
  readonly requests: RequestLog;
  readonly releases: Releases;
  /** What requests take of this canister's thread. */
  readonly ownLoad = new CoordinatorLoad();
  readonly gathered: Gathered;

  constructor(readonly ic: Ic) {
    this.policy = new AccessPolicy(ic);
    this.usage = new Usage(ic, this.policy);
    this.handles = new Handles(ic);
    this.releases = new Releases(ic, (released, head, ended) => {
      if (released?.ticket !== undefined) logReleased(this, released.ticket, head, ended);
      else if (ended !== undefined) logUnasked(this, head, ended);
    });
    this.gathered = new Gathered(ic, this.ownLoad, ([head], ended) => {
      logUnasked(this, head!, ended);
    });
    this.requests = new RequestLog((bytes) => ic.principal(bytes));
  }
}
