import type { Epilogue } from '@canopy/protocol';
import { floatAttribute, floatsAttribute, type GraphNode, stringAttribute } from '../graph.js';
import { epilogue, UnsupportedNode } from './lowering.js';

/** The activation that onnxruntime has fused into a node. */
export function fusedActivation(node: GraphNode): Epilogue {
  const activation = stringAttribute(node, 'activation', '');
  // FusedConv has a list, FusedGemm an attribute each.
  const [first = 0, second = 0] = floatsAttribute(node, 'activation_params') ?? [
    floatAttribute(node, 'activation_alpha', 0),
    floatAttribute(node, 'activation_beta', 0),
  ];
  switch (activation) {
    case '':
      return epilogue();
    case 'Relu':
      return epilogue({ activation: 'relu' });
    case 'Clip':
      return epilogue({ activation: 'clip', alpha: first, beta: second });
    case 'HardSigmoid':
      return epilogue({ activation: 'hardSigmoid', alpha: first, beta: second });
    case 'LeakyRelu':
      return epilogue({ activation: 'leakyRelu', alpha: first });
    case 'Sigmoid':
      return epilogue({ activation: 'sigmoid' });
    case 'Tanh':
      return epilogue({ activation: 'tanh' });
    default:
      throw new UnsupportedNode(`has the activation ${activation}`, 'plan without fusion');
  }
}
