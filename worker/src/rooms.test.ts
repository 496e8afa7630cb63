import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const assembly = fileURLToPath(new URL('../assembly', import.meta.url));

/** Rooms of the worker; each may import from itself and from those before it. */
const rooms = [
  'generated',
  'tensor',
  'store',
  'kernels',
  'ops',
  'program',
  'canister/ic',
  'canister/setup',
  'canister/pacing',
  'canister/head',
  'canister/stage',
  'canister/methods',
];
/** The entry point stands above all rooms. */
const roomOf = (file: string): number =>
  file === 'index.ts' ? rooms.length : rooms.indexOf(dirname(file));

/** Files of the worker and what each imports, as paths from `assembly`. */
function imports(): Map<string, string[]> {
  const files = readdirSync(assembly, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith('.ts'));
  return new Map(
    files.map((file) => {
      const source = readFileSync(join(assembly, file), 'utf8');
      const named = [...source.matchAll(/from '(\.[^']+)'/g)].map(([, path]) =>
        relative(assembly, normalize(join(assembly, dirname(file), `${path!}.ts`))),
      );
      return [file, named];
    }),
  );
}

describe('rooms of the worker', () => {
  it('are imported in one direction', () => {
    const back: string[] = [];
    for (const [file, named] of imports()) {
      expect(roomOf(file), `${file} stands in no room`).toBeGreaterThanOrEqual(0);
      for (const path of named) if (roomOf(path) > roomOf(file)) back.push(`${file} -> ${path}`);
    }
    expect(back).toEqual([]);
  });

  it('have no circle of files', () => {
    const graph = imports();
    const done = new Set<string>();
    const visit = (file: string, way: string[]): void => {
      if (way.includes(file)) throw new Error([...way, file].join(' -> '));
      if (done.has(file)) return;
      for (const path of graph.get(file) ?? []) visit(path, [...way, file]);
      done.add(file);
    };
    for (const file of graph.keys()) visit(file, []);
    expect(done.size).toBe(graph.size);
  });
});
