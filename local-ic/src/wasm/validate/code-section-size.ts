import { MalformedModule, Reader } from '../binary.js';
import { WasmError } from '../errors.js';
import { SectionId } from '../module-format.js';
import { advice } from './sections.js';

const MAX_CODE_SECTION_BYTES = 12 * 1024 * 1024;
const MAGIC = [0x00, 0x61, 0x73, 0x6d];

/** Looks for the code section and checks its size, before anything else of the module is read. */
export function validateCodeSectionSize(bytes: Uint8Array): void {
  let size: number | undefined;
  try {
    size = codeSectionSize(bytes);
  } catch (error) {
    if (!(error instanceof MalformedModule)) throw error;
    throw new WasmError(
      'invalid',
      `Failed to decode wasm module: Error finding code section: ${error.message}`,
    );
  }
  if (size !== undefined && size > MAX_CODE_SECTION_BYTES) {
    throw new WasmError(
      'invalid',
      `Wasm module code section size of ${size} exceeds the maximum allowed size of ` +
        `${MAX_CODE_SECTION_BYTES}.`,
      advice(
        'Try shrinking the module code section using tools like `ic-wasm` or splitting the logic ' +
          'across multiple canisters.',
        'wasm-module-code-section-too-large',
      ),
    );
  }
}

function codeSectionSize(bytes: Uint8Array): number | undefined {
  const magic = [...bytes.subarray(0, 4)];
  if (String(magic) !== String(MAGIC)) {
    const list = (values: number[]): string =>
      `[\n${values.map((value) => `    0x${value.toString(16)},\n`).join('')}]`;
    throw new MalformedModule(
      `magic header not detected: bad magic number - expected=${list(MAGIC)} actual=${list(magic)}`,
      0,
    );
  }
  if (bytes.length < 8) throw new MalformedModule('unexpected end-of-file', bytes.length);
  const version = bytes[4]! | (bytes[5]! << 8);
  const isComponent = bytes[6] === 1 && bytes[7] === 0;
  if (isComponent) return undefined;
  if (version !== 1 || bytes[6] !== 0 || bytes[7] !== 0) {
    const text = `0x${version.toString(16)}`.padStart(10);
    throw new MalformedModule(`unknown binary version: ${text}`, 4);
  }
  const r = new Reader(bytes, 8);
  while (r.pos < bytes.length) {
    const id = r.u8();
    const size = r.u32();
    if (id === SectionId.code) return size;
    if (size > bytes.length - r.pos) throw new MalformedModule('unexpected end-of-file', r.pos);
    r.pos += size;
  }
  return undefined;
}
