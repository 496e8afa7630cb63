import { textWidth } from './text-width.js';

export const fontSize = 13;
const titleSize = 16;
const left = 12;
const swatch = 11;
const svgNamespace = 'http://www.w3.org/2000/svg';

function element(svg: Element, name: string, attributes: Record<string, string | number>): Element {
  const made = svg.ownerDocument.createElementNS(svgNamespace, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}

function write(svg: Element, content: string, attributes: Record<string, string | number>): void {
  const text = element(svg, 'text', { 'text-anchor': 'start', ...attributes });
  text.textContent = content;
  svg.append(text);
}

/** A white ground behind everything, so that the picture is readable on a dark page too. */
export function addGround(svg: Element): void {
  svg.prepend(element(svg, 'rect', { width: '100%', height: '100%', fill: '#ffffff' }));
}

/** A title, and a legend in one line beneath it. */
export function addHeading(
  svg: Element,
  title: string,
  entries: readonly { name: string; color: string }[],
): void {
  write(svg, title, { x: left, y: 20, 'font-size': titleSize, 'font-weight': 600 });
  let x = left;
  for (const { name, color } of entries) {
    svg.append(element(svg, 'rect', { x, y: 31, width: swatch, height: swatch, fill: color }));
    write(svg, name, { x: x + 16, y: 41 });
    x += 16 + Math.ceil(textWidth(name, fontSize)) + 18;
  }
}
