export * from './types.js';
export { encode, encodedUnit } from './encode.js';
export { CandidError, decode, decodeGeneric, type GenericValue } from './decode.js';
