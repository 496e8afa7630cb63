/** Circles of imports in any package, and imports against the order of rooms; part of `npm run check`. */
import { readFileSync } from 'node:fs';
import { againstOrder, circlesIn, importsBelow } from './imports.mjs';
import { root } from './workspace.mjs';

/** Rooms of the worker below its canister, each with the rooms it may import (docs/architecture.md). */
const engineRooms = {
  generated: [],
  tensor: ['generated'],
  kernels: ['generated'],
  store: ['generated', 'tensor'],
  ops: ['generated', 'tensor', 'kernels'],
  program: ['generated', 'tensor', 'ops'],
};
/** Rooms of the canister: each may import those below it and those before it. */
const canisterRooms = ['pacing', 'ic', 'setup', 'head', 'stage', 'methods'].map(
  (room) => `canister/${room}`,
);
const workerRooms = {
  ...engineRooms,
  ...Object.fromEntries(
    canisterRooms.map((room, place) => [
      room,
      [...Object.keys(engineRooms), ...canisterRooms.slice(0, place)],
    ]),
  ),
  '': canisterRooms,
};

/** Rooms of the client; '' are the files beside them, which know one canister or one call each. */
const clientRooms = {
  '': ['cycles', 'deploy', 'identity', 'session', 'transport'],
  identity: ['', 'transport'],
  transport: ['', 'identity'],
  cycles: ['', 'transport'],
  deploy: ['', 'cycles', 'transport'],
  session: ['', 'deploy', 'transport'],
};
/** Rooms of the command; '' are the files beside them, which several commands share. */
const cliRooms = {
  '': ['local', 'program', 'tensors'],
  tensors: ['', 'images'],
  images: ['', 'tensors'],
  local: [''],
  metrics: [''],
  preview: [''],
  commands: ['', 'images', 'local', 'metrics', 'preview', 'tensors'],
  program: ['', 'commands'],
};

/** The rooms of folders whose order is checked. */
const ordered = {
  'worker/assembly': workerRooms,
  'client/src': clientRooms,
  'cli/src': cliRooms,
};

/** Tests, and what only they use, may import all. */
const isForTests = (file) => /\.test\.ts$|(^|\/)testing\//.test(file);

/** What is wrong with the imports of this workspace, a line each. */
export function importFaults() {
  const { workspaces } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
  const circles = workspaces.flatMap((folder) =>
    circlesIn(importsBelow(`${root}${folder}`)).map(
      (circle) => `${folder}: a circle of imports: ${circle.join(', ')}`,
    ),
  );
  const rooms = Object.entries(ordered).flatMap(([folder, order]) => {
    const imports = [...importsBelow(`${root}${folder}`)].filter(([file]) => !isForTests(file));
    return againstOrder(new Map(imports), order).map((fault) => `${folder}: ${fault}`);
  });
  return [...circles, ...rooms];
}

if (process.argv[1]?.endsWith('check-imports.mjs')) {
  const faults = importFaults();
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) process.exitCode = 1;
}
