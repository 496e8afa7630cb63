import { patterned } from '../../testing/metered-engine.js';
import { floats } from '../compare.js';
import { operatorContract } from './contract.js';

const values = [0, -1.5, NaN, Infinity, -Infinity, 3e38, 1e-40];
const x = floats([7], values);
const double = { dtype: 'float64' as const, dims: [7, 1], data: values };
const forms = {
  nan: {},
  infinite: {},
  positiveInfinity: { detect_negative: 0 },
  negativeInfinity: { detect_positive: 0 },
};

operatorContract(
  'FloatClass',
  (['nan', 'infinite', 'positiveInfinity', 'negativeInfinity'] as const).flatMap((kind) => {
    const onnx = {
      type: kind === 'nan' ? 'IsNaN' : 'IsInf',
      attributes: forms[kind],
      outputs: ['bool' as const],
      opset: 20,
    };
    const attributes = { kind };
    return [
      { name: kind, attributes, inputs: [x], onnx },
      { name: `${kind} of f64`, attributes, inputs: [double], onnx },
      { name: `${kind} of nothing`, attributes, inputs: [floats([0, 3], [])], onnx },
    ];
  }),
  [{ name: 'many', attributes: { kind: 'nan' }, inputs: [patterned([700_000])] }],
);
