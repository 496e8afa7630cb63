export { certifiedIc } from './certified-ic.js';
export * from './certifier.js';
export * from './hash-tree.js';
export type * from './network.js';
export { leb128 } from './state-tree.js';
export * from './subnet-keys.js';
