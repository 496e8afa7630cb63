import { likeFirst, type Rule, rulesFor } from '../operation.js';

export const normalization: Record<string, Rule> = rulesFor(likeFirst(), 'com.microsoft.GroupNorm');
