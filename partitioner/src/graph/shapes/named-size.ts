import { add, multiply, subtract, symbol, type Dim } from './dim.js';

/** A product of whole numbers and known names; undefined where it is nothing of the kind. */
function readProduct(text: string, known: ReadonlySet<string>): Dim | undefined {
  let result: Dim = 1;
  for (const factor of text.split('*').map((part) => part.trim())) {
    if (/^\d+$/.test(factor)) result = multiply(result, Number(factor));
    else if (known.has(factor)) result = multiply(result, symbol(factor));
    else return undefined;
  }
  return result;
}

/**
 * The size that a dimension's name spells, as exporters write it: `past + 1`, `2*steps`. Undefined where
 * the name is just a name, or speaks of names that no dimension has.
 *
 * @param known names of dimensions
 */
export function readNamedSize(name: string, known: ReadonlySet<string>): Dim | undefined {
  if (known.has(name) && !/[+*-]/.test(name)) return undefined;
  const [first, ...rest] = name.split(/([+-])/);
  let result = readProduct(first!, known);
  for (let index = 0; index < rest.length && result !== undefined; index += 2) {
    const next = readProduct(rest[index + 1]!, known);
    if (next === undefined) return undefined;
    result = rest[index] === '+' ? add(result, next) : subtract(result, next);
  }
  return typeof result === 'number' ? undefined : result;
}
