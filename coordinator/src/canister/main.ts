/** The coordinator canister's methods; what they do is in the folders beside this file. */
import {
  StableBTreeMap,
  certifiedDataSet,
  init,
  inspectMessage,
  msgArgData,
  msgMethodName,
  postUpgrade,
  preUpgrade,
  query,
  update,
  type Principal,
} from 'azle';
import type { HttpRequestRecord } from '@canopy/protocol';
import type { Access } from './access/policy.js';
import { allow, inspect } from './admission/inspect.js';
import { requestArguments, whyArguments } from './api/arguments.js';
import { methods } from './api/candid.js';
import { Responder } from './api/respond.js';
import {
  readNat,
  readNat64,
  readNatAndNat32,
  writeDoneReply,
  writeFetchReply,
  writeInferReply,
  writeSubmitReply,
} from './api/request-codec.js';
import {
  countersView,
  modelsView,
  myAccessView,
  requestsView,
  visibleRequests,
} from './api/views.js';
import { Coordinator } from './coordinator.js';
import { azleIc, openCalls } from './ic/azle-ic.js';
import { requestLogLimit } from './metrics/requests.js';
import { cancel, fetchAndLog, fetchPart, release } from './pipeline/fetch.js';
import { infer, submit } from './pipeline/infer.js';
import { planPart } from './registry/pages.js';
import { registerModel, unregisterModel } from './registry/register.js';
import {
  restoreAnswer,
  restoreModels,
  restoreTraffic,
  saveAnswer,
  saveModels,
  saveTraffic,
  type SavedModel,
  type SavedTraffic,
} from './state.js';
import { httpAnswer } from './http/answer.js';
import { certifiedData } from './http/uncertified.js';

const manual = { manual: true } as const;
const compositeManual = { manual: true, composite: true } as const;
const stateKey = 'state';
/** Stable memory lives through upgrades: models are written when they change, the rest before one. */
const stableModels = new StableBTreeMap<string, SavedModel[]>(0);
const stableTraffic = new StableBTreeMap<string, SavedTraffic>(1);
const asTheyAre = {
  toBytes: (bytes: Uint8Array) => bytes,
  fromBytes: (bytes: Uint8Array) => bytes,
};
const stableAnswers = new StableBTreeMap<bigint, Uint8Array>(2, undefined, asTheyAre);
/** Requests that wait for a head. */
const stableRuns = new StableBTreeMap<bigint, Uint8Array>(4, undefined, asTheyAre);
const stableAccess = new StableBTreeMap<string, Access>(3);

/** What the log of requests, the tickets and the numbers take once they are full. */
const reservedBytes = 2 * 1024 * 1024;
/** Allocated and let go: the heap then has room for them, and does not grow while requests come. */
new ArrayBuffer(reservedBytes);

const coordinator = new Coordinator(azleIc);
/** Samples of replies: a byte for the variant's case, then a nat, two nat32, or nothing. */
const ticketSample = { value: { ticket: 0n }, bytes: 2 };
const pendingSample = { value: { pending: { done: 0, total: 0 } }, bytes: 9 };
const doneSample = { value: { ok: null }, bytes: 1 };

const m = methods;
const answer = new Responder((method, argumentBytes) => {
  allow(coordinator, method, argumentBytes);
});
const inferReply = answer.byHand(m.infer, {
  readArguments: requestArguments,
  run: (model, inputs, [number]) => infer(coordinator, model, inputs, number),
  write: writeInferReply,
  sample: ticketSample,
});
const submitReply = answer.byHand(m.submit, {
  readArguments: requestArguments,
  run: (model, inputs, [number]) => submit(coordinator, model, inputs, number),
  write: writeSubmitReply,
  sample: { value: { ok: 0n }, bytes: 2 },
});
const fetchReply = answer.byHand(m.fetch, {
  readArguments: readNatAndNat32,
  run: (ticket, offset) => fetchPart(coordinator, ticket, offset),
  write: writeFetchReply,
  sample: pendingSample,
});
const fetchUpdateReply = answer.byHand(m.fetch_update, {
  readArguments: readNatAndNat32,
  run: (ticket, offset) => fetchAndLog(coordinator, ticket, offset),
  write: writeFetchReply,
  sample: pendingSample,
});
const releaseReply = answer.byHand(m.release, {
  readArguments: readNat,
  run: (ticket) => release(coordinator, ticket),
  write: writeDoneReply,
  sample: doneSample,
});
const cancelReply = answer.byHand(m.cancel, {
  readArguments: readNat64,
  run: (number) => cancel(coordinator, number),
  write: writeDoneReply,
  sample: doneSample,
});

export default class CoordinatorCanister {
  @update(m.register_model.argTypes, m.register_model.retTypes[0], manual)
  register_model(): Promise<void> {
    return answer.orError(
      m.register_model,
      async (model: { name: string; plan: string; workers: Principal[] }) => {
        await registerModel(coordinator, model.name, model.plan, model.workers);
        coordinator.orphans.watch();
        stableModels.insert(stateKey, saveModels(coordinator));
      },
    );
  }

  @update(m.unregister_model.argTypes, m.unregister_model.retTypes[0], manual)
  unregister_model(): Promise<void> {
    return answer.orError(m.unregister_model, (name: string) => {
      unregisterModel(coordinator, name);
      stableModels.insert(stateKey, saveModels(coordinator));
    });
  }

  @query(m.plan.argTypes, m.plan.retTypes[0], manual)
  plan(): Promise<void> {
    return answer.orError(m.plan, (name: string, offset: number) =>
      planPart(coordinator.models, name, offset),
    );
  }

  @query(m.models.argTypes, m.models.retTypes[0], manual)
  models(): Promise<void> {
    return answer.plain(m.models, ([after]: [] | [string]) =>
      modelsView(coordinator.models, after),
    );
  }

  @update(m.infer.argTypes, m.infer.retTypes[0], manual)
  infer(): Promise<void> {
    return inferReply();
  }

  @update(m.submit.argTypes, m.submit.retTypes[0], manual)
  submit(): Promise<void> {
    return submitReply();
  }

  @query(m.fetch.argTypes, m.fetch.retTypes[0], compositeManual)
  fetch(): Promise<void> {
    return fetchReply();
  }

  @update(m.fetch_update.argTypes, m.fetch_update.retTypes[0], manual)
  fetch_update(): Promise<void> {
    return fetchUpdateReply();
  }

  @update(m.release.argTypes, m.release.retTypes[0], manual)
  release(): Promise<void> {
    return releaseReply();
  }

  @update(m.cancel.argTypes, m.cancel.retTypes[0], manual)
  cancel(): Promise<void> {
    return cancelReply();
  }

  @update(m.hand_over.argTypes, m.hand_over.retTypes[0], manual)
  hand_over(): Promise<void> {
    return answer.nothing(m.hand_over, () => {
      coordinator.gathered.handOver();
    });
  }

  @query(m.requests.argTypes, m.requests.retTypes[0], manual)
  requests(): Promise<void> {
    return answer.plain(m.requests, (limit: number, [before]: [] | [bigint]) =>
      requestsView(visibleRequests(coordinator, Math.min(limit, requestLogLimit), before)),
    );
  }

  @query(m.metrics.argTypes, m.metrics.retTypes[0], manual)
  metrics(): Promise<void> {
    return answer.plain(m.metrics, () =>
      countersView(coordinator.requests.counters, coordinator.inFlight.count),
    );
  }

  @query(m.access.argTypes, m.access.retTypes[0], manual)
  access(): Promise<void> {
    return answer.plain(m.access, () => coordinator.policy.access);
  }

  @update(m.set_access.argTypes, m.set_access.retTypes[0], manual)
  set_access(): Promise<void> {
    return answer.orError(m.set_access, (access: Access) => {
      coordinator.policy.set(access);
      stableAccess.insert(stateKey, access);
    });
  }

  @query(m.my_access.argTypes, m.my_access.retTypes[0], manual)
  my_access(): Promise<void> {
    return answer.plain(m.my_access, () => myAccessView(coordinator));
  }

  @query(m.why_refused.argTypes, m.why_refused.retTypes[0], manual)
  why_refused(): Promise<void> {
    const run = (method: string, argument: Uint8Array): void => {
      inspect(coordinator, method, () => argument);
    };
    return answer.orError(m.why_refused, run, whyArguments);
  }

  @query(m.http_request.argTypes, m.http_request.retTypes[0], compositeManual)
  http_request(): Promise<void> {
    return answer.plain(m.http_request, (request: HttpRequestRecord) =>
      httpAnswer(coordinator, request),
    );
  }

  @inspectMessage({ manual: true })
  inspect(): boolean {
    try {
      inspect(coordinator, msgMethodName(), msgArgData);
      return true;
    } catch {
      return false;
    }
  }

  @init([], manual)
  begin(): void {
    certifiedDataSet(certifiedData);
  }

  @preUpgrade
  save(): void {
    openCalls.refuseUpgrade();
    for (const ticket of coordinator.answers.tickets()) {
      stableAnswers.insert(ticket, saveAnswer(coordinator.answers.find(ticket)!));
    }
    for (const { request } of coordinator.gathered.all()) {
      stableRuns.insert(request.ticket.id, request.run);
    }
    stableTraffic.insert(stateKey, saveTraffic(coordinator));
  }

  @postUpgrade([], manual)
  restore(): void {
    certifiedDataSet(certifiedData);
    const access = stableAccess.get(stateKey);
    if (access) coordinator.policy.set(access);
    restoreModels(coordinator, stableModels.get(stateKey) ?? []);
    const traffic = stableTraffic.get(stateKey);
    for (const ticket of traffic?.answers ?? []) {
      const saved = stableAnswers.remove(ticket);
      if (saved !== undefined) restoreAnswer(coordinator, ticket, saved);
    }
    if (traffic !== undefined) {
      const runs = traffic.waiting?.map(
        ({ ticket }) => [ticket, stableRuns.remove(ticket)] as const,
      );
      restoreTraffic(coordinator, traffic, new Map(runs));
    }
    stableTraffic.remove(stateKey);
    coordinator.orphans.watch();
  }
}
