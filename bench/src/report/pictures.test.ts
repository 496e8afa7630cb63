import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseBenchResult } from '../results/schema.js';
import { pageFigures } from './figures.js';
import { groupedBars, lines, stackedBars, type Bar } from './plots.js';
import { pictureFaults } from './testing/picture-faults.js';

const read = (path: string): string =>
  readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
const picture = (inside: string): string =>
  `<svg viewBox="0 0 200 100" font-size="10"><rect width="100%" height="100%" fill="#fff"/>${inside}</svg>`;

describe('faults of a picture', () => {
  it.each([
    ['<text x="150" y="50">runs out of the right</text>', /runs out of the picture/],
    ['<text x="2" y="5">too high</text>', /runs out of the picture/],
    ['<text x="9" y="50">one</text><text x="20" y="52">two</text>', /"two" lies on "one"/],
    ['<text x="9" y="50">one</text><path stroke="#345" d="M20 20V80"/>', /crossed by a line/],
    ['<line stroke="#345" x1="0" y1="0" x2="40" y2="95"/><text x="9" y="50">one</text>', /line/],
    [
      '<rect x="20" y="40" width="90" height="20" fill="#eee"/><text x="9" y="50">one</text>',
      /edge/,
    ],
    ['<text x="9" y="50">one</text><rect y="30" width="90" height="40" fill="#eee"/>', /edge/],
    [
      '<rect width="90" height="90" fill="#efb118"/><text fill="white" x="9" y="50">one</text>',
      /hard/,
    ],
  ])('are found in %s', (inside, fault) => {
    expect(pictureFaults(picture(inside)).join('\n')).toMatch(fault);
  });

  it('are found where nothing is behind a text', () => {
    const svg = '<svg viewBox="0 0 99 99"><text x="9" y="50">one</text></svg>';
    expect(pictureFaults(svg)).toEqual([expect.stringMatching(/nothing behind/)]);
  });

  it('are not texts in boxes, beside lines, or that a box keeps off', () => {
    const inside = `
      <line stroke="#345" x1="0" y1="45" x2="80" y2="45"/>
      <rect x="4" y="36" width="60" height="20" fill="#e8f0e4"/>
      <text x="9" y="50">one</text>
      <g transform="translate(100,50) rotate(-90)"><text text-anchor="middle">turned</text></g>
      <path stroke="#345" fill="none" d="M104 0V99"/>`;
    expect(pictureFaults(picture(inside))).toEqual([]);
  });

  it('are not guessed at where something is unknown', () => {
    expect(() => pictureFaults(picture('<path stroke="#345" d="M0 0C1 1 2 2 3 3"/>'))).toThrow('C');
    expect(() => pictureFaults(picture('<image/>'))).toThrow('<image>');
  });
});

describe('the pictures of the documentation', () => {
  it('have none: canopy.svg', () => {
    expect(pictureFaults(read('docs/canopy.svg'))).toEqual([]);
  });

  const figures = pageFigures(parseBenchResult(read('bench/results/full.json'), 'full.json'));
  it.each(figures)('have none, and show the committed figures: $file', ({ file, svg }) => {
    expect(pictureFaults(svg)).toEqual([]);
    expect(read(`docs/benchmarks/${file}`)).toBe(svg);
  });
});

describe('plots', () => {
  const names = ['the first of all ways', 'another', 'third', 'the fourth', 'fifth'];
  const bars = (values: readonly number[]): Bar[] =>
    ['a-model-with-a-long-name', 'b', 'c', 'd'].flatMap((group) =>
      names.map((name, index) => ({
        group,
        name,
        value: values[index]!,
        label: `${values[index]!} times`,
      })),
    );
  const frame = { title: 'Title', valueLabel: 'rounds', reference: { value: 1, text: 'most' } };

  it('of bars have none, whatever the values', () => {
    for (const values of [
      [0.0001, 0.9, 1, 0.99, 1.01],
      [1e6, 1e5, 3, 2, 1],
      [0, 0, 0, 0, 1],
    ]) {
      expect(pictureFaults(groupedBars(frame, bars(values)))).toEqual([]);
    }
  });

  it('of shares have none, however small', () => {
    const shares = [0.05, 0.051, 0.049, 0.001, 0.849];
    expect(pictureFaults(stackedBars(frame, bars(shares)))).toEqual([]);
  });

  it('of lines have none', () => {
    const points = [1, 2, 4, 16].flatMap((x) => names.map((line) => ({ line, x, y: x / 20 })));
    expect(pictureFaults(lines({ ...frame, xLabel: 'workers' }, points))).toEqual([]);
  });
});
