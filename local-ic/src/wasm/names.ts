import { Reader } from './binary.js';
import type { ParsedModule } from './module-format.js';

const FUNCTION_NAMES = 1;

/** Function names of the module's name section, by index; empty if there is none that is legible. */
export function functionNames(module: ParsedModule): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  const section = module.customSections.find(({ name }) => name === 'name');
  if (!section) return names;
  try {
    const r = new Reader(section.content);
    while (r.pos < r.end) {
      const id = r.u8();
      const content = new Reader(r.sized());
      if (id !== FUNCTION_NAMES) continue;
      for (let count = content.u32(); count > 0; count--) {
        const index = content.u32();
        names.set(index, content.name());
      }
    }
  } catch {
    names.clear();
  }
  return names;
}
