import { contrast } from '../contrast.js';
import { shapesOf, type Box, type Segment, type Shape } from './shapes.js';

type Text = Extract<Shape, { kind: 'text' }>;

/** What makes a picture hard to read, a line each: texts that run over each other, over lines or out of the picture. */
export function pictureFaults(svg: string): string[] {
  const { view, shapes } = shapesOf(svg);
  const faults: string[] = [];
  shapes.forEach((text, at) => {
    if (text.kind !== 'text' || text.text === '') return;
    const say = (what: string): void => {
      faults.push(`"${text.text}" ${what}`);
    };
    if (!contains(view, text.box)) say('runs out of the picture');
    const ground = groundOf(text, shapes.slice(0, at));
    const fill = ground.rect?.fill;
    if (fill === undefined) say('has nothing behind it: its ground is that of the page');
    else if (contrast(text.color, fill) < 4.5) say(`is hard to see on ${fill}`);
    // A halo keeps off what was painted before.
    const between = text.hasHalo ? [] : shapes.slice(ground.at + 1, at);
    for (const other of [...between, ...shapes.slice(at + 1)]) {
      if (other.kind === 'lines' && other.segments.some((one) => crosses(one, text.box))) {
        say('is crossed by a line');
      }
      const isOver = other.kind === 'rect' && overlap(other.box, text.box);
      if (isOver && (other.fill !== undefined || !contains(other.box, text.box))) {
        say('is crossed by the edge of a box');
      }
    }
    for (const other of shapes.slice(0, at)) {
      if (other.kind === 'text' && overlap(other.box, text.box)) say(`lies on "${other.text}"`);
    }
  });
  return faults;
}

/** The last box painted before that fills the whole ground of a text. */
function groundOf(text: Text, before: readonly Shape[]) {
  const at = before.findLastIndex(
    (shape) => shape.kind === 'rect' && shape.fill !== undefined && contains(shape.box, text.box),
  );
  const rect = before[at] as Extract<Shape, { kind: 'rect' }> | undefined;
  return { at, rect };
}

function contains(outer: Box, inner: Box): boolean {
  return (
    outer[0] <= inner[0] && outer[1] <= inner[1] && outer[2] >= inner[2] && outer[3] >= inner[3]
  );
}

function overlap(one: Box, other: Box): boolean {
  return one[0] < other[2] && other[0] < one[2] && one[1] < other[3] && other[1] < one[3];
}

/** Whether a segment passes through a box: the part of it within the box is not empty. */
function crosses([x1, y1, x2, y2]: Segment, box: Box): boolean {
  let [from, to] = [0, 1];
  for (const [start, step, low, high] of [
    [x1, x2 - x1, box[0], box[2]],
    [y1, y2 - y1, box[1], box[3]],
  ] as const) {
    if (step === 0) {
      if (start <= low || start >= high) return false;
      continue;
    }
    const [a, b] = [(low - start) / step, (high - start) / step];
    from = Math.max(from, Math.min(a, b));
    to = Math.min(to, Math.max(a, b));
  }
  return from < to;
}
