import { existsSync, readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import type { BundleTensor } from '@canopy/protocol';
import { readTensorProto } from '@canopy/partitioner/tensor-proto';

/** A model and what it must give, in the layout of the ONNX backend tests. */
export interface Case {
  /** Path below the folder of all cases, with `/`. */
  name: string;
  model: string;
  /** Folders with `input_N.pb` and `output_N.pb`. */
  dataSets: string[];
}

/** Cases below a folder, those whose name holds `filter`, by name. */
export function findCases(folder: string, filter = ''): Case[] {
  const found: Case[] = [];
  const look = (at: string): void => {
    const entries = readdirSync(at, { withFileTypes: true });
    if (existsSync(join(at, 'model.onnx'))) {
      const dataSets = entries
        .filter((entry) => entry.isDirectory() && entry.name.startsWith('test_data_set_'))
        .map((entry) => join(at, entry.name));
      const name = relative(folder, at).split(sep).join('/');
      if (name.includes(filter)) found.push({ name, model: join(at, 'model.onnx'), dataSets });
      return;
    }
    for (const entry of entries) if (entry.isDirectory()) look(join(at, entry.name));
  };
  look(folder);
  return found.sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** A tensor of a case; of int4 and uint4 the numbers as int8 and uint8. */
export interface CaseTensor extends BundleTensor {
  fourBits: boolean;
}

/** Tensors `input_N.pb` or `output_N.pb` of a data set, in order; names are given by the model. */
export function readTensors(dataSet: string, what: 'input' | 'output'): CaseTensor[] {
  const tensors: CaseTensor[] = [];
  for (let index = 0; ; index++) {
    const file = join(dataSet, `${what}_${index}.pb`);
    if (!existsSync(file)) return tensors;
    tensors.push({ name: '', ...readTensorProto(file) });
  }
}
