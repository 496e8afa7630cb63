import { limits } from '../../costs/index.js';
import { WasmError } from '../errors.js';
import type { ParsedModule } from '../module-format.js';
import type { CustomSection } from '../types.js';

/** Bytes of all custom sections of the IC together, names counted. */
const MAX_TOTAL_BYTES = 1048576;

/** The sections `icp:public NAME` and `icp:private NAME`. Throws `WasmError` for others of `icp:`. */
export function validateCustomSections(module: ParsedModule): CustomSection[] {
  const sections = new Map<string, CustomSection>();
  let total = 0;
  for (const { name: fullName, content } of module.customSections) {
    const scoped = scope(fullName);
    if (!scoped) continue;
    const { name, visibility } = scoped;
    if (sections.has(name)) throw invalid(`Invalid custom section: name ${name} already exists`);
    total += content.length + Buffer.byteLength(name);
    if (total > MAX_TOTAL_BYTES) {
      throw invalid(
        `Invalid custom sections: total size of the custom sections exceeds the maximum allowed: ` +
          `size ${total} bytes, allowed ${MAX_TOTAL_BYTES} bytes`,
      );
    }
    sections.set(name, { name, visibility, content: new Uint8Array(content) });
    if (sections.size > limits.modules.customSections) {
      throw new WasmError(
        'invalid',
        `Wasm module defined ${sections.size} custom sections which exceeds the maximum number ` +
          `allowed ${limits.modules.customSections}.`,
      );
    }
  }
  return [...sections.values()];
}

function scope(name: string): Pick<CustomSection, 'name' | 'visibility'> | undefined {
  if (!name.startsWith('icp:')) return undefined;
  for (const visibility of ['public', 'private'] as const) {
    const prefix = `icp:${visibility} `;
    if (name.startsWith(prefix)) return { name: name.slice(prefix.length), visibility };
  }
  if (name === 'icp:public' || name === 'icp:private') {
    throw invalid("'icp:' section names must have a space after the public/private scope");
  }
  throw invalid(
    `Invalid custom section: Custom section '${name}' has no public/private scope defined.`,
  );
}

function invalid(reason: string): WasmError {
  return new WasmError('invalid', `Wasm module has an invalid custom section. ${reason}`);
}
