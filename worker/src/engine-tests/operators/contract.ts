import { beforeAll, describe, expect, it } from 'vitest';
import { encodeAttributes, type OpAttributes, type OpName } from '@canopy/protocol';
import { MeteredEngine, type Bytes } from '../../testing/metered-engine.js';
import { expectClose } from '../compare.js';
import { Engine, type TestTensor } from '../engine.js';
import { onnxruntime, type OnnxNode } from '../onnxruntime.js';

/** A node, and the same as onnxruntime has it. */
export interface ContractCase<Op extends OpName> {
  name: string;
  attributes: OpAttributes[Op];
  inputs: readonly (TestTensor | undefined)[];
  /** Operator and attributes of ONNX; inputs where they are others than the node's. */
  onnx: Partial<OnnxNode> & Pick<OnnxNode, 'type'>;
  /** For each output of the node, the output of ONNX that it is; in order where left out. */
  order?: readonly number[];
  /** Shape of the first output, where ONNX has the same elements in another. */
  shape?: readonly number[];
  /** How far floats may be off, as in `expectClose`; 0 where nothing is computed. Default: 1e-5. */
  tolerance?: number;
}

/** A node that takes many instructions, of a shape that would keep it longest from a look at the counter. */
export interface LargeCase<Op extends OpName> {
  name: string;
  attributes: OpAttributes[Op];
  inputs: readonly (Bytes | undefined)[];
  outputs?: number;
}

/** Instructions that no operator goes on for without a look at the counter. */
const longestStretch = 16_000_000;
const gibibyte = 2 ** 30;

/**
 * What every operator keeps to: results are onnxruntime's; the same bits where it yields at every chance,
 * where it may take over its inputs' memory, and where tensors lie beyond 2 GiB; inputs stay as they are;
 * no memory is kept; no shape runs long without a look at the counter.
 *
 * @param cases among them, where the operator has such: no elements, a scalar, odd sizes, each type of
 *   elements, each attribute, NaN and infinities
 * @param large at least one, but for operators that take few instructions whatever their tensors
 */
export function operatorContract<Op extends OpName>(
  op: Op,
  cases: readonly ContractCase<Op>[],
  large: readonly LargeCase<Op>[],
): void {
  describe(op, () => {
    let engine: Engine;
    let high: Engine;
    beforeAll(async () => {
      engine = await Engine.create();
      high = await Engine.create();
      high.occupyUntil(2 * gibibyte + 65536);
    });

    it.each(cases)(
      '$name: as onnxruntime',
      async ({ attributes, inputs, onnx, order, shape, tolerance }) => {
        const outputs = onnx.outputs ?? [inputs.find((input) => input !== undefined)!.dtype];
        const expected = await onnxruntime({ inputs, ...onnx, outputs });
        if (shape) expected[0] = { ...expected[0]!, dims: shape };
        const words = encodeAttributes(op, attributes);
        const run = (on: Engine, options = {}): TestTensor[] =>
          on.run(op, inputs, words, { outputs: outputs.length, ...options });
        const results = run(engine);
        results.forEach((result, index) => {
          expectClose(result, expected[order?.[index] ?? index]!, tolerance);
        });
        const dies = inputs.flatMap((input, index) => (input ? [index] : []));
        expect(run(engine, { yieldAlways: true }), 'yielding').toEqual(results);
        expect(run(engine, { dies }), 'in place').toEqual(results);
        expect(run(engine, { dies, yieldAlways: true }), 'in place, yielding').toEqual(results);
        expect(run(high), 'beyond 2 GiB').toEqual(results);
      },
    );

    if (large.length === 0) return;
    it.each(large)('$name: goes on in other messages', async ({ attributes, inputs, outputs }) => {
      const metered = await MeteredEngine.create();
      const node = { op, inputs, words: encodeAttributes(op, attributes), outputs };
      const whole = metered.run(node, false);
      const cut = metered.run(node, true);
      if (process.env['PRINT']) console.info(op, whole.instructions, whole.longest, cut.messages);
      expect(whole.messages).toBe(1);
      expect(cut.messages).toBeGreaterThanOrEqual(3);
      expect(Buffer.compare(cut.output, whole.output)).toBe(0);
      expect(whole.longest).toBeLessThan(longestStretch);
    });
  });
}
