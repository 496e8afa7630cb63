/**
 * Values are numbered (see `ValueNumbers`): a value is a root, computed somewhere in the function, plus
 * an offset. This is the root of all constants.
 */
export const ROOT_CONST = 0;

/** A pure operation on roots plus offsets; `rootY` 0 with an offset is a constant. */
export interface RootExpression {
  id: number;
  rootX: number;
  offX: number;
  rootY: number;
  offY: number;
}
