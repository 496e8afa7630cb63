/** Axes `[first, end)`; none where `end` lies before. */
export function axesFrom(first: number, end: number): number[] {
  return Array.from({ length: Math.max(0, end - first) }, (_, index) => first + index);
}
