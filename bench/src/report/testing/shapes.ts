import { parseHTML } from 'linkedom';
import { textWidth } from '../text-width.js';

/** Left, top, right, bottom in the picture's units. */
export type Box = readonly [number, number, number, number];
/** From x, y to x, y. */
export type Segment = Box;

/** What a picture shows, in the order in which it is painted. */
export type Shape =
  | { kind: 'text'; box: Box; text: string; color: string; hasHalo: boolean }
  | { kind: 'rect'; box: Box; fill: string | undefined }
  | { kind: 'lines'; segments: Segment[] };

/** x' = a·x + c·y + e, y' = b·x + d·y + f. */
type Matrix = readonly [number, number, number, number, number, number];

/** Attributes that children take over. */
const inherited = ['fill', 'color', 'stroke', 'font-size', 'font-weight', 'text-anchor'] as const;
type Style = Partial<Record<(typeof inherited)[number], string>>;

const named: Record<string, string> = { white: '#ffffff', black: '#000000' };

/** Shapes of an SVG text. Throws for what it does not know, so that nothing is overlooked. */
export function shapesOf(svg: string): { view: Box; shapes: Shape[] } {
  const { document } = parseHTML(svg) as { document: Document };
  const root = document.querySelector('svg')!;
  const [x, y, width, height] = root.getAttribute('viewBox')!.split(' ').map(Number) as [
    number,
    number,
    number,
    number,
  ];
  const view: Box = [x, y, x + width, y + height];
  const shapes: Shape[] = [];
  collect(root, [1, 0, 0, 1, 0, 0], { fill: 'black', 'text-anchor': 'start' }, view, shapes);
  return { view, shapes };
}

function collect(el: Element, matrix: Matrix, style: Style, view: Box, shapes: Shape[]): void {
  const own = styleOf(el, style);
  const at = transformed(matrix, el.getAttribute('transform') ?? '');
  const number = (name: string, of = 0): number => length(el.getAttribute(name), own, of);
  const lines = (points: [number, number][]): void => {
    const placed = points.map((point) => apply(at, point));
    const segments = placed.slice(1).map((end, index): Segment => [...placed[index]!, ...end]);
    if (isPainted(own.stroke)) shapes.push({ kind: 'lines', segments });
  };
  switch (el.localName) {
    case 'svg':
    case 'g':
      for (const child of Array.from(el.children)) collect(child, at, own, view, shapes);
      return;
    case 'title':
    case 'style':
    case 'defs':
      return;
    case 'text':
      shapes.push(textShape(el, at, own, number('x'), number('y')));
      return;
    case 'rect': {
      const [left, top] = [number('x'), number('y')];
      const right = left + number('width', view[2] - view[0]);
      const bottom = top + number('height', view[3] - view[1]);
      const box = around(at, left, top, right, bottom);
      if (right > left && bottom > top)
        shapes.push({ kind: 'rect', box, fill: colorOf(own.fill, own) });
      return;
    }
    case 'circle': {
      const [x, y, r] = [number('cx'), number('cy'), number('r')];
      const fill = colorOf(own.fill, own);
      shapes.push({ kind: 'rect', box: around(at, x - r, y - r, x + r, y + r), fill });
      return;
    }
    case 'line':
      lines([
        [number('x1'), number('y1')],
        [number('x2'), number('y2')],
      ]);
      return;
    case 'path':
      lines(pathPoints(el.getAttribute('d')!));
      return;
    default:
      throw new Error(`<${el.localName}> is not known`);
  }
}

function styleOf(el: Element, style: Style): Style {
  const css = new Map(
    (el.getAttribute('style') ?? '')
      .split(';')
      .map((one) => one.split(':').map((part) => part.trim()) as [string, string]),
  );
  const own: Style = { ...style };
  for (const name of inherited) {
    const value = css.get(name) ?? el.getAttribute(name);
    if (value) own[name] = value;
  }
  return own;
}

const isPainted = (paint: string | undefined): boolean => paint !== undefined && paint !== 'none';

/** #rrggbb; undefined where nothing is painted. */
function colorOf(paint: string | undefined, style: Style): string | undefined {
  if (!isPainted(paint)) return undefined;
  const color = paint === 'currentColor' ? style.color! : paint!;
  const hex = named[color] ?? color.replace(/^#(.)(.)(.)$/, '#$1$1$2$2$3$3');
  if (!/^#[0-9a-f]{6}$/i.test(hex)) throw new Error(`the colour ${color} is not known`);
  return hex;
}

/** A length in the picture's units: plain, in em, or a share of the whole. */
function length(value: string | null, style: Style, of: number): number {
  if (value === null) return 0;
  const match = /^(-?[\d.]+)(em|%|px)?$/.exec(value);
  if (!match) throw new Error(`the length ${value} is not known`);
  const unit = { em: fontSizeOf(style), '%': of / 100 }[match[2] ?? ''] ?? 1;
  return Number(match[1]) * unit;
}

const fontSizeOf = (style: Style): number => parseFloat(style['font-size'] ?? '16');

/** Letters reach about so far above and below their base line, in em. */
const above = 0.76;
const below = 0.22;

function textShape(el: Element, at: Matrix, style: Style, x: number, y: number): Shape {
  const text = el.textContent;
  if (el.children.length > 0) throw new Error(`parts of the text "${text}" are not known`);
  const size = fontSizeOf(style);
  const width = textWidth(text, size, Number(style['font-weight'] ?? 400) >= 600);
  const start = { start: 0, middle: width / 2, end: width }[style['text-anchor']!]!;
  const box = around(at, x - start, y - above * size, x - start + width, y + below * size);
  const hasHalo = el.closest('[paint-order="stroke"]') !== null;
  return { kind: 'text', box, text, color: colorOf(style.fill, style)!, hasHalo };
}

function apply([a, b, c, d, e, f]: Matrix, [x, y]: [number, number]): [number, number] {
  return [a * x + c * y + e, b * x + d * y + f];
}

function around(at: Matrix, left: number, top: number, right: number, bottom: number): Box {
  const [x1, y1] = apply(at, [left, top]);
  const [x2, y2] = apply(at, [right, bottom]);
  return [Math.min(x1, x2), Math.min(y1, y2), Math.max(x1, x2), Math.max(y1, y2)];
}

/** Moves, and turns by right angles. */
function transformed(matrix: Matrix, transform: string): Matrix {
  let at = matrix;
  for (const [, name, list] of transform.matchAll(/(\w+)\(([^)]*)\)/g)) {
    const [first, second = 0] = list!.split(/[ ,]+/).map(Number) as [number, number?];
    const [a, b, c, d] = at;
    if (name === 'translate') at = [a, b, c, d, ...apply(at, [first, second])];
    else if (name === 'rotate' && first % 90 === 0) {
      const [cos, sin] = [Math.cos, Math.sin].map((of) => Math.round(of((first * Math.PI) / 180)));
      at = [
        a * cos! + c * sin!,
        b * cos! + d * sin!,
        c * cos! - a * sin!,
        d * cos! - b * sin!,
        at[4],
        at[5],
      ];
    } else throw new Error(`the transform ${name} ${list} is not known`);
  }
  return at;
}

/** Corners of a path of straight lines. */
function pathPoints(path: string): [number, number][] {
  const points: [number, number][] = [];
  for (const [, command, list] of path.matchAll(/([A-Za-z])([^A-Za-z]*)/g)) {
    const numbers = list!.split(/[ ,]+/).filter(Boolean).map(Number);
    const [x, y] = points.at(-1) ?? [0, 0];
    if (command === 'H') points.push([numbers[0]!, y]);
    else if (command === 'V') points.push([x, numbers[0]!]);
    else if (command === 'M' || command === 'L') points.push([numbers[0]!, numbers[1]!]);
    else throw new Error(`the path command ${command} is not known`);
  }
  return points;
}
