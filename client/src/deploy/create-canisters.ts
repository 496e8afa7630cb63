import { placeText, workerCount, type Plan } from '@canopy/protocol';
import { CyclesLedgerClient, type Creation, type CreationOrder } from '../cycles/ledger.js';
import { CanopyError, toCanopyError } from '../errors.js';
import { canisterStatus } from './canister-status.js';
import type { Deployment, NotedCreation } from './manifest.js';
import { cyclesOf, type DeployOptions } from './options.js';

/** What creating canisters needs of a deployment under way. */
export interface CreationSteps {
  plan: Plan;
  deployment: Deployment;
  options: DeployOptions;
  /** Writes the manifest. */
  save: () => Promise<void>;
  report: (done: number, total: number, detail: string) => void;
  /** Does `action`, again after faults on the way. */
  retry: <T>(what: string, action: () => Promise<T>) => Promise<T>;
}

/**
 * Finds a canister for the coordinator and for each worker that has none in the manifest: one of
 * `options.canisters`, or a new one. Each is noted before the next is asked for.
 */
export async function createCanisters(steps: CreationSteps): Promise<void> {
  const { plan, deployment, report, save } = steps;
  const total = 1 + workerCount(plan);
  const source = new CanisterSource(steps);
  await save();
  await source.prepare();
  if (deployment.coordinator === undefined) {
    await source.next('the coordinator', 0, (id) => (deployment.coordinator = id));
  }
  report(1, total, `coordinator ${deployment.coordinator!}`);
  while (deployment.workers.length < workerCount(plan)) {
    const place = placeText(plan, deployment.workers.length);
    await source.next(place, 1 + deployment.workers.length, (id) => deployment.workers.push(id));
    report(deployment.workers.length + 1, total, `${place}: worker ${deployment.workers.at(-1)!}`);
  }
}

/** Nanoseconds of a millisecond, within which creations are told apart by chance. */
const millisecond = 1_000_000;
/** Looks, a second apart each, until a creation that is under way must have ended. */
const looks = 60;

class CanisterSource {
  private readonly spare: string[];
  private readonly ledger: CyclesLedgerClient;
  private readonly paid: boolean;

  constructor(private readonly steps: CreationSteps) {
    const { options, deployment } = steps;
    const taken = [deployment.coordinator, ...deployment.workers];
    this.spare = (options.canisters ?? []).filter((id) => !taken.includes(id));
    this.ledger = new CyclesLedgerClient(options.transport);
    this.paid = options.cyclesLedger ?? false;
  }

  /** Indices of the canisters that are to be found: 0 of the coordinator, then the workers. */
  private get wanted(): number[] {
    const { plan, deployment } = this.steps;
    const all = Array.from({ length: 1 + workerCount(plan) }, (_, index) => index);
    return all.filter((index) =>
      index === 0 ? deployment.coordinator === undefined : index > deployment.workers.length,
    );
  }

  /** Makes sure, before anything is created, that there is enough of all that is needed. */
  async prepare(): Promise<void> {
    const { plan, deployment, options, retry } = this.steps;
    const { wanted } = this;
    if (this.spare.length > wanted.length) {
      const more = this.spare.slice(wanted.length).join(', ');
      throw new CanopyError('bad-deployment', `more canisters are named than are needed: ${more}`);
    }
    for (const id of this.spare) await this.requireEmpty(id);
    if (!this.paid || wanted.length === this.spare.length) {
      if (options.subnet !== undefined && !this.paid && wanted.length > this.spare.length) {
        const text = 'a subnet can be chosen where there is a cycles ledger only';
        throw new CanopyError('bad-deployment', text);
      }
      return;
    }
    const fee = await retry('asking the cycles ledger', () => this.ledger.fee());
    // What is noted may be paid for already.
    const unpaid = wanted.slice(this.spare.length + (deployment.creating ? 1 : 0));
    const total = unpaid.reduce((sum, index) => sum + cyclesOf(options, plan, index) + fee, 0n);
    await retry('asking the cycles ledger', () =>
      this.ledger.requireBalance(total, `creating ${unpaid.length} canisters`),
    );
    deployment.subnet = options.subnet ?? deployment.subnet ?? (await this.chooseSubnet());
  }

  /** Any of those that are open to all: workers call each other within a subnet. */
  private async chooseSubnet(): Promise<string> {
    const subnets = await this.steps.retry('asking for subnets', () => this.ledger.subnets());
    if (subnets.length > 0) return subnets[Math.floor(Math.random() * subnets.length)]!;
    throw new CanopyError('bad-deployment', 'no subnet is open to all: name one of yours');
  }

  /** @param note puts the canister into the manifest, which is then written */
  async next(what: string, index: number, note: (id: string) => unknown): Promise<void> {
    const { deployment, options, save } = this.steps;
    options.signal?.throwIfAborted();
    const { creating } = deployment;
    const given = creating ? undefined : this.spare.shift();
    const id = given ?? (await this.create(what, index));
    note(id);
    delete deployment.creating;
    await save();
  }

  private async create(what: string, index: number): Promise<string> {
    const { plan, deployment, options } = this.steps;
    if (this.paid || deployment.creating) return this.createPaid(what, index);
    try {
      return await options.transport.createCanister({
        cycles: cyclesOf(options, plan, index),
        ...(options.controllers && { controllers: options.controllers }),
      });
    } catch (error) {
      throw toCanopyError(error, `creating the canister of ${what}`);
    }
  }

  /**
   * Has the cycles ledger create a canister. What it is asked for is noted before, with the time by which
   * it knows the same order again: so it is asked as often as need be, and creates one canister.
   */
  private async createPaid(what: string, index: number): Promise<string> {
    const { deployment, retry, save } = this.steps;
    const action = `creating the canister of ${what}`;
    if (deployment.creating === undefined || this.steps.options.createAgain === true) {
      deployment.creating = await this.newOrder(index, BigInt(Date.now()) * BigInt(millisecond));
      await save();
    }
    for (let look = 0; look < looks; look++) {
      const creation = await retry(action, () =>
        this.ledger.createCanister(orderOf(deployment.creating!)),
      );
      const id = await this.outcome(creation, what, index);
      if (id !== undefined) return id;
      if (creation.kind === 'known') await this.steps.options.transport.wait(1000);
    }
    return this.insteadOf(what, 'the cycles ledger took the order, and does not name a canister');
  }

  /** The canister, or undefined where the ledger is to be asked once more. */
  private async outcome(
    creation: Creation,
    what: string,
    index: number,
  ): Promise<string | undefined> {
    const { deployment, save } = this.steps;
    switch (creation.kind) {
      case 'created':
        if (![deployment.coordinator, ...deployment.workers].includes(creation.canister)) {
          return creation.canister;
        }
        throw new CanopyError('unexpected', `${creation.canister} was named for two canisters`);
      case 'known':
        return undefined;
      case 'too-early':
        deployment.creating = await this.newOrder(index, creation.ledgerTime);
        await save();
        return undefined;
      case 'too-old':
        return this.insteadOf(
          what,
          'the cycles ledger does not remember orders of more than a day',
        );
      case 'failed':
        delete deployment.creating;
        // Where nothing is there yet, the next try may go elsewhere.
        if (deployment.coordinator === undefined) delete deployment.subnet;
        await save();
        throw new CanopyError(
          'rejected',
          `creating the canister of ${what}: ${creation.reason}; the cycles went back to the cycles ledger`,
        );
    }
  }

  /** An existing canister in the place of one of which cannot be told whether it was created. */
  private insteadOf(what: string, why: string): string {
    const given = this.spare.shift();
    if (given !== undefined) return given;
    const { createdAt, amount } = this.steps.deployment.creating!;
    const time = new Date(Number(BigInt(createdAt) / BigInt(millisecond))).toISOString();
    throw new CanopyError(
      'bad-deployment',
      `whether a canister of ${what} was created for ${amount} cycles at ${time} cannot be told (${why}): ` +
        'look for it in the account at the cycles ledger. If it was created, name it as one of the existing ' +
        'canisters; if not, say that it is to be created again',
    );
  }

  /** An order for the next canister, at `now` or some nanoseconds later: no other is of the same time. */
  private async newOrder(index: number, now: bigint): Promise<NotedCreation> {
    const { plan, deployment, options } = this.steps;
    const caller = await options.transport.principal();
    const createdAt = now + BigInt(Math.floor(Math.random() * millisecond));
    return {
      createdAt: String(createdAt),
      amount: String(cyclesOf(options, plan, index)),
      controllers: [...new Set([caller, ...(options.controllers ?? [])])],
      ...(deployment.subnet !== undefined && { subnet: deployment.subnet }),
    };
  }

  private async requireEmpty(canister: string): Promise<void> {
    const status = await this.steps.retry(`asking for ${canister}`, () =>
      canisterStatus(this.steps.options.transport, canister),
    );
    if (status?.kind === 'managed' && status.moduleHash === undefined) return;
    const text =
      status === undefined
        ? 'cannot be asked for over this way to the IC'
        : status.kind === 'missing'
          ? 'is not there'
          : status.kind === 'foreign'
            ? 'is managed by others'
            : 'is not empty: uninstall its code first, if nothing needs it';
    throw new CanopyError('bad-deployment', `canister ${canister}, named as existing, ${text}`);
  }
}

function orderOf({ createdAt, amount, ...rest }: NotedCreation): CreationOrder {
  return { createdAt: BigInt(createdAt), amount: BigInt(amount), ...rest };
}
