import { isPlainEpilogue, type Program, type ProgramNode, type ProgramNodeOf } from '../program.js';
import { ProgramUses } from './uses.js';

type Product = ProgramNodeOf<'IntegerLinear'> | ProgramNodeOf<'IntegerConv'>;

/** Places of the inputs behind the two that are multiplied; `protocol/src/operators/integer-linear.ts`. */
const factorsAt = 5;
const offsetAt = 7;

/** The other operand of a Binary of floats, one number or one for each of `columns`; undefined where it is more. */
function besides(
  program: Program,
  node: ProgramNode | undefined,
  kind: 'mul' | 'add',
  value: string,
  columns: number,
): string | undefined {
  if (node?.op !== 'Binary' || node.attributes.kind !== kind) return undefined;
  if (!isPlainEpilogue(node.attributes.epilogue)) return undefined;
  const other = node.inputs[0] === value ? node.inputs[1]! : node.inputs[0]!;
  const { dims, rank } = program.values.get(other)!.shapes;
  const last = dims.at(-1) ?? 1;
  const isRow = dims.slice(0, -1).every((dim) => dim === 1) && (last === 1 || last === columns);
  const sameRank = rank <= program.values.get(value)!.shapes.rank;
  return isRow && sameRank && other !== value ? other : undefined;
}

function columnsOf(node: Product): number {
  return node.op === 'IntegerConv' ? node.attributes.outChannels : node.attributes.n;
}

function isSums(node: ProgramNode | undefined): node is Product {
  if (node?.op !== 'IntegerConv' && node?.op !== 'IntegerLinear') return false;
  return node.attributes.to === 'int32' && columnsOf(node) > 0;
}

/** Inputs with one more at its place; those between that are not there are left out. */
function withInputs(given: readonly string[], at: number, value: string): string[] {
  const inputs = [...given];
  while (inputs.length <= at) inputs.push('');
  inputs[at] = value;
  return inputs;
}

/**
 * Sums of bytes that become floats, are multiplied by one factor or one a column and have one offset or one a
 * column added: the product does it itself, step by step as the nodes would.
 */
export function integerScales(program: Program): boolean {
  let changed = false;
  let uses = new ProgramUses(program);
  const remove = (node: ProgramNode): void => {
    program.nodes.splice(program.nodes.indexOf(node), 1);
  };
  for (const scaled of [...program.nodes]) {
    if (scaled.op !== 'Binary') continue;
    const cast = scaled.inputs
      .map((input) => uses.producer(input))
      .find((one) => one?.op === 'Cast');
    const sums = uses.producer(cast?.inputs[0]);
    if (cast?.op !== 'Cast' || cast.attributes.to !== 'float32' || !isSums(sums)) continue;
    const floats = cast.outputs[0]!;
    if (uses.onlyReader(floats) !== scaled || uses.onlyReader(sums.outputs[0]!) !== cast) continue;
    const factors = besides(program, scaled, 'mul', floats, columnsOf(sums));
    if (factors === undefined) continue;
    const result = scaled.outputs[0]!;
    const added = uses.onlyReader(result);
    const offset = besides(program, added, 'add', result, columnsOf(sums));
    const last = offset === undefined ? scaled : added!;
    let inputs = withInputs(sums.inputs, factorsAt, factors);
    if (offset !== undefined) inputs = withInputs(inputs, offsetAt, offset);
    const attributes = { ...sums.attributes, to: 'float32' };
    const product = { ...sums, inputs, outputs: last.outputs, attributes } as Product;
    // All that it reads is there where the last of the nodes was.
    for (const node of [sums, cast, scaled]) if (node !== last) remove(node);
    program.nodes[program.nodes.indexOf(last)] = product;
    uses = new ProgramUses(program);
    changed = true;
  }
  return changed;
}
