/** Circles of imports in any package, and imports against the order of rooms; part of `npm run check`. */
import { readFileSync } from 'node:fs';
import { againstOrder, circlesIn, importsBelow } from './imports.mjs';
import { root } from './workspace.mjs';

/** Rooms of the worker below its canister, each with the rooms it may import (docs/architecture.md). */
const engineRooms = {
  generated: [],
  tensor: ['generated'],
  kernels: ['generated'],
  store: ['tensor'],
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

/** What is wrong with the imports of this workspace, a line each. */
export function importFaults() {
  const { workspaces } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
  const circles = workspaces.flatMap((folder) =>
    circlesIn(importsBelow(`${root}${folder}`)).map(
      (circle) => `${folder}: a circle of imports: ${circle.join(', ')}`,
    ),
  );
  const rooms = againstOrder(importsBelow(`${root}worker/assembly`), workerRooms);
  return [...circles, ...rooms.map((fault) => `worker/assembly: ${fault}`)];
}

if (process.argv[1]?.endsWith('check-imports.mjs')) {
  const faults = importFaults();
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) process.exitCode = 1;
}
