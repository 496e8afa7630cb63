import { gunzipSync } from 'node:zlib';
import { limits } from '../costs/index.js';
import { WasmError } from './errors.js';

const MAX_BYTES = limits.memory.wasmModuleBytes;

/** A copy of the module in an upload, which may be gzipped. Throws `WasmError`. */
export function decodeUpload(upload: Uint8Array): Uint8Array {
  if (startsWith(upload, 0x00, 0x61, 0x73, 0x6d)) return new Uint8Array(upload);
  if (!startsWith(upload, 0x1f, 0x8b, 0x08)) {
    throw new WasmError(
      'invalid',
      'Failed to decode wasm module: unsupported canister module format',
    );
  }
  try {
    return new Uint8Array(gunzipSync(upload, { maxOutputLength: MAX_BYTES }));
  } catch (error) {
    const tooLarge = (error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE';
    const reason = tooLarge
      ? `Wasm module is too large: the maximum is ${MAX_BYTES} bytes`
      : `failed to decode compressed Wasm module: ${gzipFault((error as Error).message)}`;
    throw new WasmError('invalid', `Failed to decode wasm module: ${reason}`);
  }
}

function startsWith(bytes: Uint8Array, ...prefix: number[]): boolean {
  return prefix.every((byte, i) => bytes[i] === byte);
}

/** The replica's words for a fault of the gzip format, where they are known (it prints no values). */
function gzipFault(message: string): string {
  if (message !== 'header crc mismatch') return message;
  return 'CRC16 of GZIP header mismatched: value={}, expected={}';
}
