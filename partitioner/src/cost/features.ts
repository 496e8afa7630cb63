import { elementCount, packedChannels, type Epilogue, type UnaryName } from '@canopy/protocol';
import { shapeAt, type Program, type ProgramNode } from '../graph/program.js';

/** What a node does, in the quantities that its kernel's instructions are proportional to. */
export interface NodeFeatures {
  /** Kind of kernel: a key of `operations` in the coefficients. */
  operation: string;
  /** Quantities by name: keys of the operation's coefficients. `node` (1) is implied. */
  counts: Readonly<Record<string, number>>;
  /** What the epilogue does, and to how many elements. */
  epilogue?: { epilogue: Epilogue; elements: number };
}

const cheapUnary = new Set<UnaryName>([
  'none',
  'relu',
  'clip',
  'hardSwish',
  'hardSigmoid',
  'leakyRelu',
  'sqrt',
  'reciprocal',
  'neg',
  'abs',
  'floor',
  'ceil',
  'round',
  'not',
  'affine',
]);

/** Multiply-adds of a node on so many rows; 0 for operations that are none. */
export function multiplyAdds(program: Program, node: ProgramNode, rows: number): number {
  const shape = (name: string): number[] => shapeAt(program.values.get(name)!.shapes, rows);
  switch (node.op) {
    case 'Linear':
      return elementCount(shape(node.outputs[0]!)) * node.attributes.k;
    case 'Conv':
    case 'DepthwiseConv': {
      const { kernel, inChannels, group } = node.attributes;
      const taps = kernel[0] * kernel[1] * (inChannels / group);
      return elementCount(shape(node.outputs[0]!)) * taps;
    }
    case 'MatMul': {
      const a = shape(node.inputs[0]!);
      return elementCount(shape(node.outputs[0]!)) * a.at(node.attributes.transA ? -2 : -1)!;
    }
    default:
      return 0;
  }
}

/** Features of a node on so many rows. */
export function nodeFeatures(program: Program, node: ProgramNode, rows: number): NodeFeatures {
  const shape = (name: string): number[] => shapeAt(program.values.get(name)!.shapes, rows);
  const output = shape(node.outputs[0]!);
  const outputs = elementCount(output);
  const input = node.inputs[0] === undefined || node.inputs[0] === '' ? [] : shape(node.inputs[0]);
  const inputs = elementCount(input);
  switch (node.op) {
    case 'Linear': {
      const { k, n, epilogue } = node.attributes;
      const padded = (outputs / n) * packedChannels(n);
      return {
        operation: 'Linear',
        counts: { multiplyAdd: padded * k, output: padded },
        epilogue: { epilogue, elements: padded },
      };
    }
    case 'Conv':
    case 'DepthwiseConv': {
      const { kernel, inChannels, outChannels, group, epilogue } = node.attributes;
      const depthwise = node.op === 'DepthwiseConv';
      const stored = depthwise
        ? packedChannels(outChannels)
        : packedChannels(outChannels / group) * group;
      const padded = (outputs / outChannels) * stored;
      const taps = kernel[0] * kernel[1] * (inChannels / group);
      return {
        operation: node.op,
        counts: { multiplyAdd: padded * taps, output: padded },
        epilogue: { epilogue, elements: padded },
      };
    }
    case 'MatMul':
      return {
        operation: 'MatMul',
        counts: { multiplyAdd: multiplyAdds(program, node, rows), output: outputs },
      };
    case 'Binary': {
      const second = shape(node.inputs[1]!);
      const plain = inputs === outputs && elementCount(second) === outputs;
      return {
        operation: 'Elementwise',
        counts: plain ? { element: outputs } : { broadcast: outputs },
        epilogue: { epilogue: node.attributes.epilogue, elements: outputs },
      };
    }
    case 'Unary':
      return {
        operation: cheapUnary.has(node.attributes.kind) ? 'Elementwise' : 'Transcendental',
        counts: { element: outputs },
      };
    case 'Softmax':
      return {
        operation: 'Softmax',
        counts: { element: outputs, row: outputs / (output.at(node.attributes.axis) ?? 1) },
      };
    case 'LayerNorm':
      return {
        operation: 'LayerNorm',
        counts: {
          element: outputs,
          row: elementCount(output.slice(0, node.attributes.axis)),
        },
      };
    case 'Reduce':
    case 'GlobalAveragePool':
      return { operation: 'Reduce', counts: { element: inputs } };
    case 'MaxPool':
    case 'AveragePool': {
      const [height, width] = node.attributes.kernel;
      return { operation: 'Pool', counts: { tap: outputs * height * width, output: outputs } };
    }
    case 'Reshape':
    case 'Squeeze':
    case 'Unsqueeze':
    case 'Flatten':
    case 'Identity':
      return { operation: 'Copy', counts: { element: outputs } };
    case 'Transpose':
    case 'Gather':
    case 'Slice':
    case 'Concat':
    case 'Expand':
    case 'Where':
    case 'Pad':
    case 'Cast':
      return { operation: 'Move', counts: { element: outputs } };
    case 'Shape':
    case 'ConstantOfShape':
    case 'Range':
      return { operation: 'Shape', counts: { element: outputs } };
  }
}
