import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { contrast } from './contrast.js';
import { addGround, addHeading, fontSize } from './heading.js';
import { textWidth } from './text-width.js';

/** One bar: which group it stands in, what it is, how long, and what is written on it. */
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
  /** What the values are. */
  valueLabel: string;
  /** A value to compare with, drawn as a dashed line. */
  reference?: { value: number; text: string };
}

const width = 860;
const height = 380;
const margins = { marginTop: 68, marginLeft: 64, marginRight: 16, marginBottom: 44 };
const scheme = 'observable10';
const ink = '#222222';
const paper = '#ffffff';
const labelSize = 11;
/** Axis labels stand in the middle of their axis. */
const centred = { labelAnchor: 'center', labelArrow: 'none' } as const;
/** Labels stay readable where lines of the grid pass. */
const halo = { fill: ink, stroke: paper, strokeWidth: 4 };

/** Order in which names first appear. */
function inOrder(names: Iterable<string>): string[] {
  return [...new Set(names)];
}

function colorsOf(names: readonly string[]): (name: string) => string {
  const scale = Plot.scale({ color: { type: 'ordinal', domain: [...names], scheme } });
  return (name) => scale.apply(name) as string;
}

/** The colour of text on a ground of this colour. */
function inkOn(color: string): string {
  return contrast(ink, color) > contrast(paper, color) ? ink : paper;
}

/** Draws; names are fixed, so that the same figures give the same file. */
function draw(frame: Frame, names: readonly string[], options: Plot.PlotOptions): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const svg = Plot.plot({
    document,
    className: 'canopy-plot',
    width,
    height,
    ...margins,
    style: { color: ink, fontSize: `${fontSize}px` },
    color: { domain: [...names], scheme },
    ...options,
  });
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', frame.title);
  const color = colorsOf(names);
  addGround(svg);
  addHeading(
    svg,
    frame.title,
    names.map((name) => ({ name, color: color(name) })),
  );
  return `${svg.outerHTML}\n`;
}

const rowHeight = 17;
const betweenGroups = 12;

/** Bars one below the other, group by group, each with its label at its end, as an SVG file's text. */
export function groupedBars(frame: Frame, bars: readonly Bar[]): string {
  const names = inOrder(bars.map((bar) => bar.name));
  const groups = inOrder(bars.map((bar) => bar.group));
  const groupHeight = names.length * rowHeight + betweenGroups;
  const widest = (texts: readonly string[], size: number): number =>
    Math.max(...texts.map((text) => Math.ceil(textWidth(text, size))));
  const channels = { fy: 'group', y: 'name', x: 'value' };
  const label = (bar: Bar): string => bar.label ?? '';
  return draw(frame, names, {
    height: margins.marginTop + groups.length * groupHeight + margins.marginBottom,
    marginLeft: widest(groups, fontSize) + 24,
    marginRight: widest(bars.map(label), labelSize) + 24,
    fy: { domain: groups, label: null, padding: betweenGroups / groupHeight },
    y: { domain: names, axis: null, padding: 0.1 },
    x: { grid: true, label: frame.valueLabel, ...centred },
    marks: [
      Plot.axisFy({ anchor: 'left', label: null }),
      ...(frame.reference ? [Plot.ruleX([frame.reference.value], referenceLine)] : []),
      Plot.barX(bars, { ...channels, fill: 'name' }),
      Plot.ruleX([0]),
      Plot.text(bars, {
        ...channels,
        ...halo,
        text: label,
        textAnchor: 'start',
        dx: 6,
        fontSize: labelSize,
      }),
    ],
  });
}

const referenceLine = { stroke: '#555555', strokeDasharray: '5,4' };

/** Bars one on the other, shares of a whole, as an SVG file's text. */
export function stackedBars(frame: Frame, bars: readonly Bar[]): string {
  const names = inOrder(bars.map((bar) => bar.name));
  const groups = inOrder(bars.map((bar) => bar.group));
  const color = colorsOf(names);
  return draw(frame, names, {
    x: { domain: groups, label: null, padding: 0.3 },
    y: { grid: true, label: frame.valueLabel, ...centred, domain: [0, 1], tickFormat: '.0%' },
    marks: [
      Plot.barY(bars, { x: 'group', y: 'value', fill: 'name', order: names }),
      ...[ink, paper].map((fill) =>
        Plot.text(
          bars,
          Plot.stackY({
            x: 'group',
            y: 'value',
            z: 'name',
            order: names,
            text: ({ name, value, label = '' }: Bar) =>
              value >= 0.05 && inkOn(color(name)) === fill ? label : '',
            fill,
            fontSize: labelSize,
          }),
        ),
      ),
    ],
  });
}

function referenceMarks({ reference }: Frame): Plot.Markish[] {
  if (reference === undefined) return [];
  const { value, text } = reference;
  return [
    Plot.ruleY([value], referenceLine),
    Plot.text([text], { y: value, frameAnchor: 'left', textAnchor: 'start', dx: 6, dy: -9 }),
  ];
}

/** Lines over a logarithmic x axis whose ticks are the values that occur, as an SVG file's text. */
export function lines(frame: Frame, points: readonly Point[]): string {
  const names = inOrder(points.map((point) => point.line));
  const ticks = [...new Set(points.map((point) => point.x))].sort((a, b) => a - b);
  const channels = { x: 'x', y: 'y', stroke: 'line' };
  return draw(frame, names, {
    x: { type: 'log', base: 2, ticks, tickFormat: 'd', label: frame.xLabel ?? null, ...centred },
    y: { grid: true, zero: true, label: frame.valueLabel, ...centred },
    marks: [
      ...referenceMarks(frame),
      Plot.line(points, { ...channels, strokeWidth: 2 }),
      Plot.dot(points, { ...channels, fill: 'line', r: 3 }),
      Plot.ruleY([0]),
    ],
  });
}
