/** The kinds of faults: what each does, and what a caller may be told of it. */
import { pass, pause, query, update, type Program } from './driver.js';
import { malformed } from './malformed.js';
import * as management from './management.js';
import type { Call } from './network.js';
import type { Random } from './random.js';
import { codeOf } from './requests.js';
import { controller, type World } from './world.js';

export interface Kind {
  name: string;
  /** Codes with which a request may be refused, and codes with which one may fail that was accepted. */
  refused: readonly string[];
  failed: readonly string[];
  /** Once; a seed has up to three. Undoes what it did. */
  run(context: FaultContext): Program;
}

export interface FaultContext {
  world: World;
  random: Random;
  /** Where the seed's faults note what they did. */
  note: (text: string) => void;
  /** Where the coordinator was given an earlier state. */
  isReset: () => void;
}

function* manage(
  { note }: FaultContext,
  what: string,
  call: Call,
): Program<Uint8Array | undefined> {
  const outcome = yield* update(call, controller);
  note(outcome.error === undefined ? what : `${what}: ${outcome.error.slice(0, 100)}`);
  return outcome.error === undefined ? outcome.reply : undefined;
}

const anyWorker = ({ world, random }: FaultContext): string => random.pick(world.workers);
const theCoordinator = ({ world }: FaultContext): string => world.coordinator;
type Target = (context: FaultContext) => string;

/** What a request to a stage that is gone or out of means is told, in the end; it can be sent again. */
const stageIsAway = ['unreachable', 'next-stage', 'not-ready', 'not-configured', 'trapped'];
/** What the network tells those who call a coordinator that is stopped. */
const coordinatorIsStopped = ['ic-stopped'];

const upgrade = (target: Target) =>
  function* (context: FaultContext): Program {
    const canister = target(context);
    const module = context.world.moduleOf(canister);
    for (let times = 1 + context.random.below(3); times > 0; times--) {
      yield* manage(
        context,
        `upgrade ${canister}`,
        management.install(canister, module, 'upgrade'),
      );
      yield* pause(context.random.below(4));
    }
  };

const stopAnd = (target: Target, between: (context: FaultContext, canister: string) => Program) =>
  function* (context: FaultContext): Program {
    const canister = target(context);
    yield* manage(context, `stop ${canister}`, management.stop(canister));
    yield* between(context, canister);
    yield* manage(context, 'start', management.start(canister));
  };

function* wait({ random }: FaultContext): Program {
  yield* pause(random.below(8));
}

function* upgraded(context: FaultContext, canister: string): Program {
  yield* pause(context.random.below(3));
  const module = context.world.moduleOf(canister);
  yield* manage(context, 'upgrade', management.install(canister, module, 'upgrade'));
  yield* pause(context.random.below(3));
}

const lose = (what: (canister: string, module: Uint8Array) => Call) =>
  function* (context: FaultContext): Program {
    const worker = anyWorker(context);
    yield* manage(context, `empty ${worker}`, what(worker, context.world.moduleOf(worker)));
    yield* wait(context);
    yield* context.world.rebuild(worker);
  };

type Settings = Parameters<typeof management.change>[1];
const settingsOf = (target: Target, bad: Settings, good: Settings) =>
  function* (context: FaultContext): Program {
    const canister = target(context);
    const named = `${Object.keys(bad).join()} of ${canister}`;
    yield* manage(context, named, management.change(canister, bad));
    yield* pause(2 + context.random.below(10));
    yield* manage(context, 'undone', management.change(canister, good));
  };
const frozen: [Settings, Settings] = [
  { freezingThreshold: 10n ** 18n },
  { freezingThreshold: 2_592_000n },
];
const outOfMemory: [Settings, Settings] = [
  { wasmMemoryLimit: 65_536n },
  { wasmMemoryLimit: 3_221_225_472n },
];

const snapshot = (target: Target) =>
  function* (context: FaultContext): Program {
    const canister = target(context);
    const taken = yield* manage(context, `take ${canister}`, management.takeSnapshot(canister));
    yield* pause(1 + context.random.below(8));
    if (taken === undefined) return;
    const id = management.snapshotId(taken);
    yield* manage(context, 'load', management.loadSnapshot(canister, id));
    if (canister === context.world.coordinator) context.isReset();
  };

function* computeAllocation(context: FaultContext): Program {
  const worker = anyWorker(context);
  for (let times = 0; times < 3; times++) {
    const computeAllocation = context.random.pick([0, 1, 20, 50, 90]);
    const call = management.change(worker, { computeAllocation });
    yield* manage(context, `${computeAllocation} % for ${worker}`, call);
    yield* pause(context.random.below(4));
  }
  yield* manage(context, '0 %', management.change(worker, { computeAllocation: 0 }));
}

function* longStop(context: FaultContext, canister: string): Program {
  const seconds = context.random.pick([100, 650, 1300]);
  context.note(`${canister} for ${seconds} s`);
  for (let passed = 0; passed < seconds; passed += 25) {
    yield* pass(24_000);
    yield* pause(1);
  }
}

function* sendMalformed({ world, random, note }: FaultContext): Program {
  for (let count = 0; count < 12; count++) {
    const { call, sender, isQuery } = malformed(world, random);
    const outcome = yield* isQuery ? query(call, sender) : update(call, sender);
    if (outcome.error !== undefined && codeOf(outcome.error) === 'ic-trap') {
      // Candid that is none traps in the coordinator by its interface: the caller pays for it.
      if (call.canister !== world.coordinator) note(`TRAP in ${call.method}: ${outcome.error}`);
    }
  }
}

const nothing: readonly string[] = [];

export const kinds: readonly Kind[] = [
  { name: 'none', refused: nothing, failed: nothing, *run() {} },
  { name: 'upgrade', refused: nothing, failed: nothing, run: upgrade(anyWorker) },
  { name: 'stop-start', refused: nothing, failed: nothing, run: stopAnd(anyWorker, wait) },
  {
    name: 'stop-upgrade-start',
    refused: nothing,
    failed: nothing,
    run: stopAnd(anyWorker, upgraded),
  },
  { name: 'coordinator-upgrade', refused: nothing, failed: nothing, run: upgrade(theCoordinator) },
  {
    name: 'coordinator-stop-upgrade',
    refused: coordinatorIsStopped,
    failed: nothing,
    run: stopAnd(theCoordinator, upgraded),
  },
  {
    name: 'coordinator-stop-start',
    refused: coordinatorIsStopped,
    failed: nothing,
    run: stopAnd(theCoordinator, wait),
  },
  {
    name: 'uninstall',
    refused: stageIsAway,
    failed: [...stageIsAway, 'unknown-request'],
    run: lose((worker) => management.uninstall(worker)),
  },
  {
    name: 'reinstall',
    refused: stageIsAway,
    failed: [...stageIsAway, 'unknown-request'],
    run: lose((worker, module) => management.install(worker, module, 'reinstall')),
  },
  {
    name: 'frozen',
    refused: stageIsAway,
    failed: stageIsAway,
    run: settingsOf(anyWorker, ...frozen),
  },
  {
    name: 'memory-limit',
    refused: stageIsAway,
    failed: stageIsAway,
    run: settingsOf(anyWorker, ...outOfMemory),
  },
  { name: 'compute-allocation', refused: nothing, failed: nothing, run: computeAllocation },
  {
    name: 'coordinator-frozen',
    refused: ['ic-out-of-cycles'],
    failed: nothing,
    run: settingsOf(theCoordinator, ...frozen),
  },
  {
    name: 'coordinator-memory-limit',
    refused: ['ic-memory-limit'],
    failed: nothing,
    run: settingsOf(theCoordinator, ...outOfMemory),
  },
  {
    name: 'snapshot',
    refused: nothing,
    failed: ['unknown-request', 'next-stage'],
    run: snapshot(anyWorker),
  },
  {
    name: 'coordinator-snapshot',
    refused: nothing,
    failed: ['unknown-request'],
    run: snapshot(theCoordinator),
  },
  {
    name: 'long-stop',
    refused: nothing,
    failed: stageIsAway,
    run: stopAnd(anyWorker, longStop),
  },
  { name: 'malformed', refused: nothing, failed: nothing, run: sendMalformed },
  {
    name: 'mixed',
    refused: [...stageIsAway, ...coordinatorIsStopped, 'ic-out-of-cycles', 'ic-memory-limit'],
    failed: [...stageIsAway, 'unknown-request'],
    *run(context) {
      const others = kinds.filter(({ name }) => name !== 'mixed' && name !== 'none');
      const kind = context.random.pick(others);
      context.note(kind.name);
      yield* kind.run(context);
    },
  },
];
