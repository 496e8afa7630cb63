/** Lists and plans in parts that fit a reply, whatever is registered. */
import { CanisterError, type ModelInterface, type TensorSpec } from '@canopy/protocol';
import { CoordinatorError } from '../error.js';
import type { Model, ModelRegistry, UnreadableModel } from './models.js';

/** Bytes of a page: a query has not the instructions to write many more. */
const pageBytes = 192 * 1024;
/** Most bytes of what is told of a model, as {@link interfaceBytes} counts them. */
export const mostInterfaceBytes = 64 * 1024;
/** Characters of a part of a plan; the same. */
const planCharacters = 64 * 1024;
/** Numbers, and lengths of names. */
const fixedBytes = 128;

/** At most. */
const bytesOf = (text: string): number => 3 * text.length + 4;

function specBytes({ name, dims }: TensorSpec): number {
  let bytes = bytesOf(name) + 16;
  for (const dim of dims) bytes += typeof dim === 'string' ? bytesOf(dim) : 8;
  return bytes;
}

/** Bytes that an interface takes in an answer, at most: three a character. */
export function interfaceBytes({ inputs, outputs, results }: ModelInterface): number {
  let bytes = fixedBytes;
  for (const spec of inputs) bytes += specBytes(spec);
  for (const spec of outputs) bytes += specBytes(spec);
  for (const name of results) bytes += bytesOf(name);
  return bytes;
}

/** Of a model that cannot be read only a text is told. */
const unreadableBytes = 4096;

/** The models behind `after`, by name, as many as fit a page. */
export function modelsPage(
  registry: ModelRegistry,
  after: string | undefined,
): { models: (Model | UnreadableModel)[]; next: string | undefined } {
  const behind = registry
    .all()
    .filter(({ name }) => after === undefined || name > after)
    .sort((one, other) => (one.name < other.name ? -1 : 1));
  let bytes = 0;
  let count = 0;
  for (const model of behind) {
    bytes += bytesOf(model.name);
    bytes += 'interface' in model ? interfaceBytes(model.interface) : unreadableBytes;
    if (bytes > pageBytes && count > 0) break;
    count++;
  }
  const models = behind.slice(0, count);
  return { models, next: count < behind.length ? models[count - 1]!.name : undefined };
}

/**
 * The workers and the plan of a model as JSON, from a character on. Throws {@link CoordinatorError}
 * `unknown-model`, or `bad-input` where `offset` is beyond the end.
 */
export function planPart(
  registry: ModelRegistry,
  name: string,
  offset: number,
): { text: string; total: number } {
  const { planText, workers } = registry.requireKnown(name);
  const ids = JSON.stringify(workers.map((worker) => worker.toText()));
  const whole = `{"workers":${ids},"plan":${planText}}`;
  if (offset > whole.length) {
    throw new CoordinatorError(
      CanisterError.badInput,
      `the plan has ${whole.length} characters, none from ${offset} on`,
    );
  }
  let end = Math.min(whole.length, offset + planCharacters);
  // A character of two halves stays whole.
  if (end < whole.length && isFirstHalf(whole.charCodeAt(end - 1))) end--;
  return { text: whole.slice(offset, end), total: whole.length };
}

function isFirstHalf(code: number): boolean {
  return code >= 0xd800 && code < 0xdc00;
}
