import { elementCount } from '@canopy/protocol';
import { PartitionError } from './error.js';
import { numberConstant, type Constant } from './graph/constant.js';
import type { Graph, NamedValue } from './graph/graph.js';
import { evaluate, symbolsOf } from './graph/shapes/dim.js';
import { inputDimensions, inputSizes } from './graph/shapes/open-dimensions.js';

/** Values by the names of inputs, sizes by those of open dimensions. */
export type FixedValues = Readonly<Record<string, number | readonly number[]>>;

function refuse(text: string): never {
  throw new PartitionError('bad-option', `fixed: ${text}`);
}

/** An input as a constant of these numbers, row by row. */
function constantOf({ name, dtype, dims = [] }: NamedValue, given: FixedValues[string]): Constant {
  const numbers = typeof given === 'number' ? [given] : given;
  const sizes = dims.map((dim) =>
    typeof dim === 'number' ? dim : refuse(`input "${name}" has open dimensions: fix them too`),
  );
  const count = elementCount(sizes);
  if (numbers.length !== count) {
    refuse(`input "${name}" takes ${count} numbers, given ${numbers.length}`);
  }
  if (dtype === 'float16' || dtype === 'bfloat16') refuse(`input "${name}" is ${dtype}`);
  const isWhole = dtype !== 'float32' && dtype !== 'float64';
  const wrong = numbers.find((number) => isWhole && !Number.isSafeInteger(number));
  if (wrong !== undefined) refuse(`input "${name}" is ${dtype}, and ${wrong} is no whole number`);
  return numberConstant(dtype, sizes, numbers);
}

/**
 * Gives open dimensions and inputs fixed values, for good: requests have these sizes, and do not carry these
 * inputs, which become constants.
 *
 * @param graph its inputs change
 * @returns the constants, by their names
 *
 * Throws {@link PartitionError} `bad-option` where there is no such name, or it takes no such value.
 */
export function fixValues(graph: Graph, fixed: FixedValues): Map<string, Constant> {
  const sizes = new Map<string, number>();
  const open = new Set([...inputDimensions(graph).values()].flat());
  for (const [name, value] of Object.entries(fixed)) {
    if (graph.inputs.some((input) => input.name === name)) continue;
    if (!open.has(name)) {
      const names = [...graph.inputs.map((input) => input.name), ...open];
      const known = names.filter((known) => typeof known === 'string').join('", "');
      refuse(`the model has no input and no open dimension "${name}"; it has "${known}"`);
    }
    const [size = NaN, ...more] = typeof value === 'number' ? [value] : value;
    if (more.length > 0 || !Number.isInteger(size) || size < 0) {
      refuse(`dimension "${name}" is ${String(value)}, not a whole number`);
    }
    sizes.set(name, size);
  }
  const expressions = inputSizes(graph);
  const inputs = graph.inputs.map((input) => ({
    ...input,
    dims: input.dims?.map((dim, axis) => {
      const expression = expressions.get(input.name)![axis]!;
      const isFixed = [...symbolsOf(expression)].every((name) => sizes.has(name));
      return isFixed ? evaluate(expression, (name) => sizes.get(name)!) : dim;
    }),
  }));
  const constants = new Map<string, Constant>();
  for (const input of inputs) {
    const value = fixed[input.name];
    if (value !== undefined) constants.set(input.name, constantOf(input, value));
  }
  graph.inputs = inputs.filter(({ name }) => !constants.has(name));
  if (graph.inputs.length === 0 && constants.size > 0) refuse('no input is left');
  return constants;
}
