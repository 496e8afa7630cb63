/**
 * Values are numbered (see `ValueNumbers`): a value is a root, computed somewhere in the function, plus
 * an offset. This is the root of all constants.
 */
export const ROOT_CONST = 0;
