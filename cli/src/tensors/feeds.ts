import type { Feeds } from '@canopy/client';
import { existsSync } from 'node:fs';
import type { Plan, TensorSpec } from '@canopy/protocol';
import { UsageError } from '../errors.js';
import type { PictureOptions } from '../images/picture-tensor.js';
import { isPicture, readTensorFile } from './tensor-file.js';
import { elements, typeText } from './tensor-value.js';

/** Every way to take `name=file` apart; names and files may hold "=", too. */
function splits(text: string): { name: string; file: string }[] {
  const ways: { name: string; file: string }[] = [];
  for (let at = text.indexOf('='); at >= 0; at = text.indexOf('=', at + 1)) {
    ways.push({ name: text.slice(0, at), file: text.slice(at + 1) });
  }
  return ways;
}

/**
 * Takes `name=file` apart where what stands before the "=" is an input of the model; of several such
 * ways the one whose file is there. Throws {@link UsageError} where there is no way, or more than one.
 */
export function splitInput(
  text: string,
  inputs: readonly Pick<TensorSpec, 'name'>[],
  fileExists: (path: string) => boolean = existsSync,
): { name: string; file: string } {
  const known = splits(text).filter(
    ({ name, file }) => file !== '' && inputs.some((input) => input.name === name),
  );
  const [first] = known;
  if (first === undefined) throw new UsageError(`input "${splits(text)[0]!.name}" is unknown`);
  if (known.length === 1) return first;
  const there = known.filter(({ file }) => fileExists(file));
  if (there.length === 1) return there[0]!;
  const ways = known.map(({ name, file }) => `"${name}" from ${file}`);
  throw new UsageError(`--input ${text} may mean ${ways.join(' or ')}: rename the file`);
}

/** Which file each input is read from. Throws {@link UsageError} where they are not those of the model. */
export function inputFiles(plan: Plan, given: readonly string[]): Map<string, string> {
  const takes = `the model takes ${plan.inputs.map((spec) => `"${spec.name}" ${typeText(spec)}`).join(' and ')}`;
  const files = new Map<string, string>();
  for (const text of given) {
    let split: { name: string; file: string };
    try {
      split = splitInput(text, plan.inputs);
    } catch (error) {
      throw new UsageError(`${(error as Error).message}; ${takes}`);
    }
    const { name, file } = split;
    if (files.has(name)) throw new UsageError(`input "${name}" is given twice; ${takes}`);
    files.set(name, file);
  }
  const missing = plan.inputs.filter((spec) => !files.has(spec.name));
  if (missing.length > 0) {
    const options = missing.map((spec) => `--input ${spec.name}=FILE`);
    throw new UsageError(
      `${options.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} missing; ${takes}`,
    );
  }
  return files;
}

/**
 * Reads the files of all inputs. Throws {@link UsageError} where they are not those of the model,
 * `CommandError` where a file cannot be taken.
 */
export async function readFeeds(
  plan: Plan,
  given: readonly string[],
  picture: PictureOptions = {},
): Promise<Feeds> {
  const files = inputFiles(plan, given);
  const flags = Object.keys(picture).map((name) => `--${name}`);
  if (flags.length > 0 && ![...files.values()].some(isPicture)) {
    throw new UsageError(`${flags.join(', ')}: for pictures, but no input is one`);
  }
  const feeds: Record<string, Feeds[string]> = {};
  for (const spec of plan.inputs) {
    const tensor = await readTensorFile(files.get(spec.name)!, spec, picture);
    feeds[spec.name] = { type: tensor.dtype, dims: tensor.dims, data: elements(tensor) };
  }
  return feeds;
}
