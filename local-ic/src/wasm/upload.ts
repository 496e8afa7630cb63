import { Reader } from './binary.js';
import { decodeUpload } from './decode-upload.js';
import { SectionId } from './module-format.js';

const PREAMBLE_BYTES = 8;
const MEMORY_64_FLAG = 4;

/** What is known of an uploaded module without checking it. */
export interface UploadTraits {
  /** False when it is compressed in a way that cannot be undone. */
  readonly decodes: boolean;
  /** Whether its memory section declares 64-bit addresses. */
  readonly memory64: boolean;
}

/** Looks at an upload, which may be any bytes. */
export function inspectUpload(upload: Uint8Array): UploadTraits {
  let bytes: Uint8Array;
  try {
    bytes = decodeUpload(upload);
  } catch {
    return { decodes: upload[0] !== 0x1f, memory64: false };
  }
  try {
    return { decodes: true, memory64: declaresMemory64(bytes) };
  } catch {
    return { decodes: true, memory64: false };
  }
}

/** Throws MalformedModule when the bytes are no sequence of sections. */
function declaresMemory64(bytes: Uint8Array): boolean {
  const reader = new Reader(bytes, PREAMBLE_BYTES);
  while (reader.pos < reader.end) {
    const id = reader.u8();
    const content = new Reader(reader.sized());
    if (id !== SectionId.memory) continue;
    return content.u32() > 0 && (content.u8() & MEMORY_64_FLAG) !== 0;
  }
  return false;
}
