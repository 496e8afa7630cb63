import { InferenceSession, Tensor } from 'onnxruntime-node';
import { nameDimensions } from '@canopy/partitioner';
import { Random } from '../models/random.js';
import type { RealModel } from './catalogue.js';

const seed = 1;

/** What onnxruntime says of a model, and what it answers. */
export interface Asked {
  /** Sizes of the named open dimensions, as the inputs have them. */
  dims: Record<string, number>;
  feeds: Record<string, Tensor>;
  outputs: Record<string, Tensor>;
}

/** Elements of an input: `fill`, whole numbers below `below`, or numbers from 0 to 1. */
function makeTensor(
  type: string,
  dims: readonly number[],
  random: Random,
  below: number,
  fill: number | undefined,
): Tensor {
  const count = dims.reduce((product, dim) => product * dim, 1);
  const whole =
    fill === undefined ? random.integers(count, below) : Array<number>(count).fill(fill);
  switch (type) {
    case 'float32':
    case 'float64': {
      const numbers =
        fill === undefined ? random.uniform(count, 0.5).map((value) => value + 0.5) : whole;
      return type === 'float32'
        ? new Tensor(type, Float32Array.from(numbers), dims)
        : new Tensor(type, Float64Array.from(numbers), dims);
    }
    case 'int64':
      return new Tensor(type, BigInt64Array.from(whole, BigInt), dims);
    case 'int32':
      return new Tensor(type, Int32Array.from(whole), dims);
    case 'uint8':
      return new Tensor(type, Uint8Array.from(whole), dims);
    case 'bool':
      return new Tensor(type, new Uint8Array(count).fill(fill ?? 1), dims);
    default:
      throw new Error(`an input has type ${type}, for which no numbers are made`);
  }
}

/** Makes the inputs of a model and asks onnxruntime. Throws where the model is not as described. */
export async function askOnnxruntime(path: string, model: RealModel): Promise<Asked> {
  const session = await InferenceSession.create(path, {
    logSeverityLevel: 4,
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  });
  try {
    const random = new Random(seed);
    const dims: Record<string, number> = {};
    const feeds: Record<string, Tensor> = {};
    const inputs = session.inputMetadata.map((input) => {
      if (!input.isTensor) throw new Error(`input "${input.name}" is no tensor`);
      return input;
    });
    const names = nameDimensions(inputs.map(({ name, shape: dims }) => ({ name, dims })));
    for (const [index, input] of inputs.entries()) {
      const shape = model.inputs[input.name];
      if (shape === undefined) throw new Error(`no shape is given for input "${input.name}"`);
      for (const [axis, dim] of names[index]!.entries()) {
        if (typeof dim === 'string') dims[dim] = shape[axis]!;
      }
      const below = model.below?.[input.name] ?? 2;
      feeds[input.name] = makeTensor(input.type, shape, random, below, model.fill?.[input.name]);
    }
    return { dims, feeds, outputs: await session.run(feeds) };
  } finally {
    await session.release();
  }
}
