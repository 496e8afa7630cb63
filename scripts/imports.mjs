/** Who imports whom, read from `import` and `export … from` lines: circles, and rooms with an order. */
import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';

const { dirname, join, relative } = posix;
const statement = /(?:\bfrom|\bimport|\bimport\()\s*'(\.[^']*)'/g;

/** Files that a file names, without what comes after the first dot of their names. */
export function namedIn(file, text) {
  return [...text.matchAll(statement)].map(([, path]) => join(dirname(file), path));
}

/** Files of a folder and the files of it that each imports; of both also declarations not yet built. */
export function importsBelow(folder) {
  const files = readdirSync(folder, { recursive: true })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => /\.m?ts$/.test(file) && !/\.d\.ts$|(^|\/)(node_modules|dist)\//.test(file));
  const known = new Set(files);
  const found = (path) => {
    const stem = path.replace(/\.js$/, '');
    return [path, `${stem}.ts`, `${stem}/index.ts`].find((file) => known.has(file)) ?? `${stem}.ts`;
  };
  return new Map(
    files.map((file) => {
      const text = readFileSync(join(folder, file), 'utf8');
      return [file, namedIn(file, text).map(found)];
    }),
  );
}

/** Groups of files that import each other in a circle. */
export function circlesIn(imports) {
  const reached = new Map([...imports.keys()].map((file) => [file, reachableFrom(imports, file)]));
  const seen = new Set();
  const circles = [];
  for (const [file, others] of reached) {
    if (seen.has(file) || !others.has(file)) continue;
    const circle = [...others].filter((other) => reached.get(other)?.has(file));
    for (const other of circle) seen.add(other);
    circles.push(circle.sort());
  }
  return circles;
}

function reachableFrom(imports, start) {
  const reached = new Set();
  const waiting = [start];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    for (const other of imports.get(file) ?? []) {
      if (reached.has(other)) continue;
      reached.add(other);
      waiting.push(other);
    }
  }
  return reached;
}

/**
 * Imports that go against the order of rooms, and rooms that are not as the table says.
 *
 * @param imports of the files below a folder
 * @param rooms by the path of a room's folder ('' is that of the files beside the rooms): the rooms that
 *   its files may import. A file belongs to the innermost room that holds it.
 * @returns a line for each
 */
export function againstOrder(imports, rooms) {
  const names = Object.keys(rooms);
  const roomOf = (file) => {
    const holding = names.filter((room) => room !== '' && file.startsWith(`${room}/`));
    const innermost = holding.sort((a, b) => b.length - a.length)[0];
    if (innermost === undefined && file.includes('/')) return undefined;
    return innermost ?? '';
  };
  const faults = new Set();
  const filled = new Set();
  for (const [file, others] of imports) {
    const room = roomOf(file);
    if (room === undefined) {
      faults.add(`${dirname(file)} has no place in the order`);
      continue;
    }
    filled.add(room);
    for (const other of others) {
      const target = roomOf(other);
      if (target === room || rooms[room].includes(target)) continue;
      faults.add(`${file} imports ${relative(dirname(file), other)}, which its room may not`);
    }
  }
  for (const room of names) {
    // What is generated may not be there yet.
    if (!filled.has(room) && room !== 'generated') faults.add(`"${room}" has no files`);
    const unknown = rooms[room].filter((other) => !names.includes(other));
    for (const other of unknown) faults.add(`"${room}" may import "${other}", which is no room`);
  }
  return [...faults];
}
