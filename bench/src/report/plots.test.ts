import { describe, expect, it } from 'vitest';
import { groupedBars, lines, stackedBars } from './plots.js';

const bars = [
  { group: 'm', name: 'a', value: 0.25, label: 'one' },
  { group: 'm', name: 'b', value: 0.75, label: 'three' },
  { group: 'n', name: 'a', value: 1, label: 'four' },
];
const frame = { title: 'Title', valueLabel: 'rounds' };

describe('plots', () => {
  it('are whole SVG files with title, legend and labels', () => {
    for (const svg of [groupedBars(frame, bars), stackedBars(frame, bars)]) {
      expect(svg).toMatch(/^<svg [^]*xmlns="http:\/\/www.w3.org\/2000\/svg"[^]*<\/svg>\n$/);
      for (const text of ['Title', 'rounds', '>a<', '>b<', 'one', 'three', 'four']) {
        expect(svg).toContain(text);
      }
      expect(svg).not.toContain('NaN');
    }
  });

  it('draw a higher value longer', () => {
    const svg = groupedBars(frame, bars);
    const widths = [...svg.matchAll(/<rect [^>]*? width="([\d.]+)"/g)].map((match) =>
      Number(match[1]),
    );
    // Neither the ground nor the swatches of the legend.
    const drawn = widths.filter((width) => width !== 11 && width !== 100);
    expect(drawn).toHaveLength(bars.length);
    expect(Math.max(...drawn) / Math.min(...drawn)).toBeCloseTo(4, 1);
  });

  it('are the same for the same figures', () => {
    const points = [1, 2, 4].flatMap((x) => ['u', 'v'].map((line) => ({ line, x, y: x * 2 })));
    const options = { ...frame, xLabel: 'workers', reference: { value: 6, text: 'most' } };
    const svg = lines(options, points);
    expect(svg).toBe(lines(options, points));
    expect(svg).toContain('most');
    expect(svg).toContain('workers');
  });
});
