/** Widths in em of a wide sans-serif face: readers have different ones, few have a wider. */
const widths: readonly [RegExp, number][] = [
  [/[ijl.,:;'|!]/, 0.32],
  [/[frt()[\]\- ]/, 0.42],
  [/[mwMW%×]/, 0.98],
  [/[A-Z]/, 0.74],
];
const usual = 0.64;
const boldIsWider = 1.12;

/** How wide a text is, in the unit of the font's size; rather too wide than too narrow. */
export function textWidth(text: string, fontSize: number, bold = false): number {
  const em = Array.from(text).reduce(
    (sum, letter) => sum + (widths.find(([letters]) => letters.test(letter))?.[1] ?? usual),
    0,
  );
  return em * fontSize * (bold ? boldIsWider : 1);
}
