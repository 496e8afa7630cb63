import { describe, expect, it } from 'vitest';
import { importFaults } from './check-imports.mjs';
import { againstOrder, circlesIn, namedIn } from './imports.mjs';

const graph = (edges) => new Map(Object.entries(edges));

describe('imports', () => {
  it('are read from lines of every kind', () => {
    const text = `
      import a from './a.js';
      import type { B } from '../b';
      import {
        c,
      } from './deep/c.js';
      import './effect.js';
      export { e } from './e.js';
      export * from './f.js';
      const g = await import('./g.js');
      import { readFileSync } from 'node:fs';
      import { protocol } from '@canopy/protocol';`;
    expect(namedIn('src/room/file.ts', text)).toEqual(
      [
        'room/a.js',
        'b',
        'room/deep/c.js',
        'room/effect.js',
        'room/e.js',
        'room/f.js',
        'room/g.js',
      ].map((path) => `src/${path}`),
    );
  });

  it('in a circle are found, however long; a file that imports one is in none', () => {
    const chain = { a: ['b'], b: ['c', 'd'], c: [], d: ['c'] };
    expect(circlesIn(graph(chain))).toEqual([]);
    expect(circlesIn(graph({ ...chain, c: ['b'], x: ['a'] }))).toEqual([['b', 'c', 'd']]);
    expect(circlesIn(graph({ a: ['b'], b: ['a'], c: ['d'], d: ['c'], e: ['e'] }))).toEqual([
      ['a', 'b'],
      ['c', 'd'],
      ['e'],
    ]);
  });

  it('against the order of rooms are found', () => {
    const rooms = { low: [], 'low/inner': ['low'], high: ['low'], '': ['high'] };
    const good = {
      'low/a.ts': ['low/b.ts'],
      'low/b.ts': [],
      'low/inner/c.ts': ['low/a.ts'],
      'high/d.ts': ['low/a.ts', 'high/e.ts'],
      'index.ts': ['high/d.ts'],
    };
    expect(againstOrder(graph(good), rooms)).toEqual([]);
    const bad = (file, other) => againstOrder(graph({ ...good, [file]: [other] }), rooms);
    expect(bad('low/a.ts', 'high/d.ts')).toEqual([expect.stringMatching(/low\/a.ts .*high\/d.ts/)]);
    expect(bad('low/a.ts', 'low/inner/c.ts')).toHaveLength(1);
    expect(bad('index.ts', 'low/a.ts')).toHaveLength(1);
    expect(bad('new/f.ts', 'low/a.ts')).toEqual(['new has no place in the order']);
    expect(againstOrder(graph(good), { ...rooms, gone: [] })).toEqual(['"gone" has no files']);
    expect(againstOrder(graph(good), { ...rooms, high: ['low', 'no'] })).toEqual([
      '"high" may import "no", which is no room',
    ]);
  });

  it('of this workspace have no circle and keep the order', () => {
    expect(importFaults()).toEqual([]);
  });
});
