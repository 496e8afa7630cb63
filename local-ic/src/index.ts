export * from './errors.js';
export * from './ic.js';
export * from './principal.js';
