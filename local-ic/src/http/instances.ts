import { DEFAULT_TIME_NS } from '../ic.js';
import type { SubnetKind, SubnetSpec } from '../state/index.js';
import { SYSTEM_SUBNETS } from '../system-canisters/index.js';
import type { CostSchedule } from '../wasm/index.js';
import { HttpError, type BodyReader } from './body.js';
import { Instance } from './instance.js';

type Slot = Instance | 'deleted';

/** The instances of a server, by number. */
export class Instances {
  readonly #slots: Slot[] = [];

  constructor(private readonly costs: CostSchedule) {}

  /** With `systemCanisters` the subnets that hold them are added where they are missing. */
  create(
    subnets: readonly SubnetSpec[],
    initialTimeNs?: bigint,
    systemCanisters = false,
  ): Instance {
    const missing = SYSTEM_SUBNETS.filter(
      ({ kind }) => systemCanisters && !subnets.some((subnet) => subnet.kind === kind),
    );
    const instance = new Instance(this.#slots.length, {
      subnets: [...missing, ...subnets],
      costs: this.costs,
      systemCanisters,
      ...(initialTimeNs === undefined ? {} : { initialTimeNs }),
    });
    instance.ic.firstRound();
    this.#slots.push(instance);
    return instance;
  }

  /** Throws HttpError for one that is not there any more, or never was. */
  get(id: string): Instance {
    if (!/^\d+$/.test(id))
      throw new HttpError(400, `Invalid URL: Cannot parse \`${id}\` to a \`u64\``);
    const slot = this.#slots[Number(id)];
    if (slot instanceof Instance) return slot;
    const reason = slot === 'deleted' ? 'Instance was deleted' : 'Instance not found';
    throw new HttpError(400, `UpdateError { message: "${reason}" }`, true);
  }

  delete(id: string): void {
    const slot = this.#slots[Number(id)];
    if (!(slot instanceof Instance)) return;
    slot.stop();
    this.#slots[slot.id] = 'deleted';
  }

  /** As the server lists them. */
  states(): ('Available' | 'Deleted')[] {
    return this.#slots.map((slot) => (slot === 'deleted' ? 'Deleted' : 'Available'));
  }

  /** Whether any instance makes progress on its own. */
  anyLive(): boolean {
    return this.#slots.some((slot) => slot instanceof Instance && slot.progress.enabled);
  }

  stop(): void {
    this.#slots.forEach((_, id) => {
      this.delete(String(id));
    });
  }
}

const named: readonly SubnetKind[] = ['nns', 'sns', 'ii', 'fiduciary', 'bitcoin'];
const listed: readonly SubnetKind[] = ['system', 'application', 'verified_application'];

/** The subnets that a request to create an instance asks for. Throws HttpError. */
export function readSubnets(body: BodyReader): SubnetSpec[] {
  const set = body.field('subnet_config_set');
  const subnets: SubnetSpec[] = [];
  for (const kind of named) {
    const config = set.optional(kind);
    if (config) subnets.push(readSubnet(kind, config));
  }
  for (const kind of listed) {
    for (const config of set.optional(kind)?.items() ?? []) subnets.push(readSubnet(kind, config));
  }
  if ((set.optional('cloud_engine')?.items().length ?? 0) > 0) {
    throw unsupported('cloud engine subnets');
  }
  if (subnets.length === 0) {
    throw new InstanceError(
      'Subnet config failed to validate: "ExtendedSubnetConfigSet must contain at least one subnet"',
    );
  }
  return subnets;
}

function readSubnet(kind: SubnetKind, config: BodyReader): SubnetSpec {
  const state =
    config.optional('state_config')?.oneOf('New', 'FromPath', 'FromBlobStore').tag ?? 'New';
  if (state !== 'New') throw unsupported(`subnet state ${state}`);
  const limits = config.optional('instruction_config')?.oneOf('Production', 'Benchmarking').tag;
  if (limits === 'Benchmarking') {
    throw unsupported('benchmarking instruction limits');
  }
  if (config.optional('dts_flag')?.variant().tag === 'Disabled') {
    throw unsupported('execution without deterministic time slicing');
  }
  const schedule = config.optional('cost_schedule')?.variant().tag ?? 'Normal';
  if (schedule !== 'Normal') throw unsupported(`cycles cost schedule ${schedule}`);
  return { kind };
}

/** An instance that cannot be made as asked; answered as `{"Error": …}`. */
export class InstanceError extends Error {}

function unsupported(what: string): InstanceError {
  return new InstanceError(
    `The embedded Internet Computer does not have ${what}. Leave it out of the request, or use a PocketIC server.`,
  );
}

/** Time an instance starts at, nanoseconds; undefined if the request leaves it open. */
export function readInitialTime(body: BodyReader): { timeNs?: bigint; live: boolean } {
  const initial = body.optional('initial_time');
  if (initial === undefined) return { live: false };
  const { tag, body: value } = initial.variant();
  if (tag === 'Timestamp') {
    const timeNs = value!.field('nanos_since_epoch').integer();
    if (timeNs < DEFAULT_TIME_NS) {
      throw new InstanceError(
        `The initial timestamp (unix timestamp in nanoseconds) must be no earlier than ${DEFAULT_TIME_NS} (provided ${timeNs}).`,
      );
    }
    return { timeNs, live: false };
  }
  return { live: true };
}

const systemFeatures = ['cycles_minting', 'icp_token', 'cycles_token'];
const otherFeatures = ['registry', 'nns_governance', 'sns', 'ii', 'nns_ui'];

/**
 * Whether a request asks for the system canisters that the embedded IC has stand-ins for: one of them
 * brings all. Throws InstanceError for features that need other canisters of the real network.
 */
export function readFeatures(body: BodyReader): boolean {
  const features = body.optional('icp_features');
  if (features === undefined) return false;
  const wanted = otherFeatures.filter((name) => features.optional(name) !== undefined);
  if (wanted.length > 0) throw unsupported(`the system canisters of ${wanted.join(', ')}`);
  const asked = systemFeatures.map((name) => features.optional(name)?.oneOf('DefaultConfig'));
  return asked.some((config) => config !== undefined);
}
