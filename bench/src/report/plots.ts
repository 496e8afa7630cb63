import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

/** One bar: which group it stands in, what it is, how high, and what is written on it. */
export interface Bar {
  group: string;
  name: string;
  value: number;
  label?: string;
}

export interface Point {
  line: string;
  x: number;
  y: number;
}

interface Frame {
  title: string;
  xLabel?: string;
  yLabel: string;
  /** A value to compare with, drawn as a dashed line. */
  reference?: { value: number; text: string };
}

const width = 860;
const height = 380;
const scheme = 'observable10';
/** Axis labels stand in the middle of their axis. */
const centred = { labelAnchor: 'center', labelArrow: 'none' } as const;

function document(): Document {
  return parseHTML('<!doctype html><html><body></body></html>').document;
}

/** Order in which names first appear. */
function inOrder(names: Iterable<string>): string[] {
  return [...new Set(names)];
}

/** Options that all charts share; names are fixed, so that the same figures give the same file. */
function base(frame: Frame, names: readonly string[]): Plot.PlotOptions {
  return {
    document: document(),
    className: 'canopy-plot',
    width,
    height,
    marginTop: 68,
    marginLeft: 64,
    marginRight: 16,
    marginBottom: 44,
    style: { background: 'white', color: '#222', fontSize: '13px' },
    color: { domain: [...names], scheme },
    marks: [],
    y: { grid: true, label: frame.yLabel, ...centred },
  };
}

/** Title, and a legend in one line beneath it; text width is estimated, fonts differ. */
function heading(frame: Frame, names: readonly string[], svg: Element): void {
  const doc = svg.ownerDocument;
  const text = (
    content: string,
    x: number,
    y: number,
    attributes: Record<string, string>,
  ): void => {
    const element = doc.createElementNS('http://www.w3.org/2000/svg', 'text');
    for (const [name, value] of Object.entries({ x: String(x), y: String(y), ...attributes })) {
      element.setAttribute(name, value);
    }
    element.textContent = content;
    svg.append(element);
  };
  text(frame.title, 12, 20, { 'text-anchor': 'start', 'font-size': '16', 'font-weight': '600' });
  const colors = Plot.scale({ color: { type: 'ordinal', domain: [...names], scheme } });
  let x = 12;
  for (const name of names) {
    const swatch = doc.createElementNS('http://www.w3.org/2000/svg', 'rect');
    const place = { x, y: 31, width: 11, height: 11, fill: colors.apply(name) as string };
    for (const [key, value] of Object.entries(place)) swatch.setAttribute(key, String(value));
    svg.append(swatch);
    text(name, x + 16, 41, { 'text-anchor': 'start' });
    x += 34 + name.length * 7;
  }
}

function finish(frame: Frame, names: readonly string[], options: Plot.PlotOptions): string {
  const svg = Plot.plot(options);
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', frame.title);
  heading(frame, names, svg);
  return `${svg.outerHTML}\n`;
}

function referenceMarks(frame: Frame): Plot.Markish[] {
  if (frame.reference === undefined) return [];
  const { value, text } = frame.reference;
  return [
    Plot.ruleY([value], { stroke: '#555', strokeDasharray: '5,4' }),
    Plot.text([text], { y: value, frameAnchor: 'left', textAnchor: 'start', dx: 6, dy: -8 }),
  ];
}

/** Bars side by side, group by group, as an SVG file's text. */
export function groupedBars(frame: Frame, bars: readonly Bar[]): string {
  const names = inOrder(bars.map((bar) => bar.name));
  const groups = inOrder(bars.map((bar) => bar.group));
  const channels = { fx: 'group', x: 'name', y: 'value' };
  return finish(frame, names, {
    ...base(frame, names),
    fx: { domain: groups, label: null, padding: 0.12 },
    x: { domain: names, axis: null, padding: 0.08 },
    marks: [
      Plot.barY(bars, { ...channels, fill: 'name' }),
      Plot.text(bars, { ...channels, text: (bar: Bar) => bar.label ?? '', dy: -7, fontSize: 11 }),
      ...(frame.reference ? [Plot.ruleY([frame.reference.value], { stroke: '#555' })] : []),
      Plot.ruleY([0]),
    ],
  });
}

/** Bars one on the other, shares of a whole, as an SVG file's text. */
export function stackedBars(frame: Frame, bars: readonly Bar[]): string {
  const names = inOrder(bars.map((bar) => bar.name));
  const groups = inOrder(bars.map((bar) => bar.group));
  return finish(frame, names, {
    ...base(frame, names),
    x: { domain: groups, label: null, padding: 0.3 },
    y: { grid: true, label: frame.yLabel, ...centred, domain: [0, 1], tickFormat: '.0%' },
    marks: [
      Plot.barY(bars, { x: 'group', y: 'value', fill: 'name', order: names }),
      Plot.text(
        bars,
        Plot.stackY({
          x: 'group',
          y: 'value',
          z: 'name',
          order: names,
          text: (bar: Bar) => (bar.value >= 0.05 ? (bar.label ?? '') : ''),
          fill: 'white',
          fontSize: 11,
        }),
      ),
    ],
  });
}

/** Lines over a logarithmic x axis whose ticks are the values that occur, as an SVG file's text. */
export function lines(frame: Frame, points: readonly Point[]): string {
  const names = inOrder(points.map((point) => point.line));
  const ticks = [...new Set(points.map((point) => point.x))].sort((a, b) => a - b);
  const channels = { x: 'x', y: 'y', stroke: 'line' };
  return finish(frame, names, {
    ...base(frame, names),
    x: { type: 'log', base: 2, ticks, tickFormat: 'd', label: frame.xLabel ?? null, ...centred },
    y: { grid: true, zero: true, label: frame.yLabel, ...centred },
    marks: [
      ...referenceMarks(frame),
      Plot.line(points, { ...channels, strokeWidth: 2 }),
      Plot.dot(points, { ...channels, fill: 'line', r: 3 }),
      Plot.ruleY([0]),
    ],
  });
}
