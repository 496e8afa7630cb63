import sharp from 'sharp';

/** Height of the images PP-OCRv4 recognition was trained on. */
export const imageHeight = 48;
/** The model halves widths several times; other widths would be cut. */
const widthStep = 8;
/** Narrowest image: one text position. */
const minimumWidth = 48;

/** An image as the model takes it. */
export interface PreparedImage {
  /** f32 [1, 3, 48, width], blue, green, red, from -1 to 1. */
  data: Float32Array;
  dims: [1, 3, number, number];
}

/**
 * Reads an image file that shows one line of text and scales it to 48 pixels of height.
 * Throws where the file is no image sharp can read.
 */
export async function prepareImage(path: string): Promise<PreparedImage> {
  const { width, height } = await sharp(path).metadata();
  const scaled = Math.max(minimumWidth, Math.round((width * imageHeight) / height));
  const modelWidth = Math.ceil(scaled / widthStep) * widthStep;
  const pixels = await sharp(path)
    .flatten({ background: 'white' })
    .toColourspace('srgb')
    .removeAlpha()
    .resize({ width: modelWidth, height: imageHeight, fit: 'fill', kernel: 'linear' })
    .raw()
    .toBuffer();
  const plane = imageHeight * modelWidth;
  const data = new Float32Array(3 * plane);
  for (let pixel = 0; pixel < plane; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      // Rows of pixels come as red, green, blue.
      data[channel * plane + pixel] = pixels[pixel * 3 + (2 - channel)]! / 127.5 - 1;
    }
  }
  return { data, dims: [1, 3, imageHeight, modelWidth] };
}

/**
 * Turns the model's probabilities into text: the best character of each position, repetitions and
 * blanks left out (connectionist temporal classification, Graves 2006). Class 0 is the blank, class
 * i the i-th line of the dictionary, the class after the last line a space.
 *
 * @param probabilities f32 [positions, classes]
 */
export function decodeText(
  probabilities: Float32Array,
  classes: number,
  dictionary: readonly string[],
): string {
  let text = '';
  let previous = 0;
  for (let start = 0; start < probabilities.length; start += classes) {
    let best = 0;
    for (let index = 1; index < classes; index++) {
      if (probabilities[start + index]! > probabilities[start + best]!) best = index;
    }
    if (best !== 0 && best !== previous) text += dictionary[best - 1] ?? ' ';
    previous = best;
  }
  return text;
}
