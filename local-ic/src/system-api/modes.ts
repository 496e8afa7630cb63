/** Contexts in which canister code runs, as the replica tells them apart. */
export type Mode =
  | 'start'
  | 'init'
  | 'pre upgrade'
  | 'update'
  | 'replicated query'
  | 'non replicated query'
  | 'composite query'
  | 'reply callback'
  | 'reject callback'
  | 'cleanup'
  | 'composite reply callback'
  | 'composite reject callback'
  | 'composite cleanup'
  | 'inspect message'
  | 'heartbeat'
  | 'global timer'
  | 'on low Wasm memory';

/** Every mode. */
export const ALL_MODES: readonly Mode[] = [
  'start',
  'init',
  'pre upgrade',
  'update',
  'replicated query',
  'non replicated query',
  'composite query',
  'reply callback',
  'reject callback',
  'cleanup',
  'composite reply callback',
  'composite reject callback',
  'composite cleanup',
  'inspect message',
  'heartbeat',
  'global timer',
  'on low Wasm memory',
];

const TASKS: readonly Mode[] = ['heartbeat', 'global timer', 'on low Wasm memory'];

/** Modes of non-replicated execution, whose effects are dropped. */
export const NON_REPLICATED: ReadonlySet<Mode> = new Set<Mode>([
  'non replicated query',
  'composite query',
  'composite reply callback',
  'composite reject callback',
  'composite cleanup',
  'inspect message',
]);

/** Modes of a message that can be answered. */
const ANSWERING: readonly Mode[] = [
  'update',
  'replicated query',
  'non replicated query',
  'composite query',
  'reply callback',
  'reject callback',
  'composite reply callback',
  'composite reject callback',
];

/** All modes but some. */
export function except(...excluded: Mode[]): ReadonlySet<Mode> {
  return new Set(ALL_MODES.filter((mode) => !excluded.includes(mode)));
}

/** Some modes. */
export function only(...modes: readonly Mode[]): ReadonlySet<Mode> {
  return new Set(modes);
}

/** Modes whose changes of memory are noticed. Composite queries keep theirs until they end. */
export const TRACKS_WRITES = except('replicated query', 'non replicated query', 'inspect message');

/** Sets of modes that functions share. */
export const MODES = {
  all: new Set(ALL_MODES),
  notStart: except('start'),
  answering: only(...ANSWERING),
  argument: only(
    'init',
    'update',
    'replicated query',
    'non replicated query',
    'composite query',
    'reply callback',
    'composite reply callback',
    'inspect message',
  ),
  calling: only(
    'update',
    'composite query',
    'reply callback',
    'reject callback',
    'composite reply callback',
    'composite reject callback',
    ...TASKS,
  ),
  attachingCycles: only('update', 'reply callback', 'reject callback', ...TASKS),
  acceptingCycles: only('update', 'replicated query', 'reply callback', 'reject callback'),
  refunded: only('reply callback', 'reject callback'),
  rejectCode: only(
    'reply callback',
    'reject callback',
    'composite reply callback',
    'composite reject callback',
  ),
  rejectMessage: only('reject callback', 'composite reject callback'),
  callerInfo: only(...ANSWERING, 'cleanup', 'composite cleanup', 'inspect message'),
  inspecting: only('inspect message'),
  certifying: only('init', 'pre upgrade', 'update', 'reply callback', 'reject callback', ...TASKS),
  certificate: only('non replicated query', 'composite query'),
  timer: only(
    'init',
    'pre upgrade',
    'update',
    'reply callback',
    'reject callback',
    'cleanup',
    ...TASKS,
  ),
  rootKey: only(
    'init',
    'pre upgrade',
    'update',
    'replicated query',
    'reply callback',
    'reject callback',
    'cleanup',
    ...TASKS,
  ),
  burning: only(
    'init',
    'pre upgrade',
    'update',
    'replicated query',
    'reply callback',
    'reject callback',
    'cleanup',
    ...TASKS,
  ),
} as const;
