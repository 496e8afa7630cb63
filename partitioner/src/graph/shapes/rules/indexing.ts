import { likeFirst, rulesFor, type Rule } from '../operation.js';

export const indexing: Record<string, Rule> = rulesFor(likeFirst(), 'TensorScatter');
