/* global TextEncoder, WebAssembly */
import binaryen from 'binaryen';

/** Exports of the compiled module that are entry points of the canister. */
const lifecycle = {
  init: 'canister_init',
  pre_upgrade: 'canister_pre_upgrade',
  post_upgrade: 'canister_post_upgrade',
  global_timer: 'canister_global_timer',
};

function canisterName(name) {
  if (name in lifecycle) return lifecycle[name];
  if (name.startsWith('update_')) return `canister_update ${name.slice('update_'.length)}`;
  if (name.startsWith('query_')) return `canister_query ${name.slice('query_'.length)}`;
  return undefined;
}

/**
 * The call-back functions stand first in the table, because calls under way during an upgrade come
 * back to the same indexes of the new module.
 */
const callbacks = ['callback_reply', 'callback_reject'];
const firstTableIndex = 1;

function tableFunctions(module) {
  const names = new Map();
  for (let index = 0; index < module.getNumElementSegments(); index++) {
    const info = binaryen.getElementSegmentInfo(module.getElementSegmentByIndex(index));
    info.data.forEach((name, at) => names.set(firstTableIndex + at, name));
  }
  return names;
}

/**
 * Throws where a module, given as text, holds parts of AssemblyScript's memory manager: `new`, a
 * string or an array made at run time. It begins where the worker's own heap does, and would write into it.
 */
export function refuseRuntime(text) {
  // Where its functions are inlined, its pointer to free memory is left.
  const names = [...new Set(text.match(/~lib\/rt\/[^\s"()]+/g))];
  if (names.length === 0) return;
  throw new Error(
    `worker: the module allocates with ${names.join(', ')}; the heap is tensor/memory's alone: ` +
      'make structs of memory from `alloc`, and texts of constant strings',
  );
}

/** Throws where a module imports anything. */
export function refuseImports(wasm) {
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(wasm));
  if (imports.length === 0) return;
  const names = imports.map(({ module: from, name }) => `${from}.${name}`).join(', ');
  throw new Error(`worker: the policy must know nothing but what it is told, and imports ${names}`);
}

/**
 * Gives a compiled module the export names of a canister and its Candid description, and checks
 * that it imports nothing but the system interface.
 */
export function toCanisterModule(wasm, did) {
  const module = binaryen.readBinary(wasm);
  try {
    const exports = [];
    for (let index = 0; index < module.getNumExports(); index++) {
      exports.push(binaryen.getExportInfo(module.getExportByIndex(index)));
    }
    const inTable = tableFunctions(module);
    callbacks.forEach((name, at) => {
      const exported = exports.find((entry) => entry.name === name);
      const index = firstTableIndex + at;
      if (exported === undefined || inTable.get(index) !== exported.value) {
        throw new Error(
          `worker: table index ${index} must be ${name}, is ${inTable.get(index) ?? 'empty'}`,
        );
      }
    });
    for (const { name, value, kind } of exports) {
      if (kind !== binaryen.ExternalFunction) continue;
      module.removeExport(name);
      const renamed = canisterName(name);
      if (renamed !== undefined) module.addFunctionExport(value, renamed);
    }
    module.addCustomSection('icp:public candid:service', new TextEncoder().encode(did));
    const out = module.emitBinary();
    const foreign = WebAssembly.Module.imports(new WebAssembly.Module(out)).filter(
      ({ module: from }) => from !== 'ic0',
    );
    if (foreign.length > 0) {
      const names = foreign.map(({ module: from, name }) => `${from}.${name}`).join(', ');
      throw new Error(`worker: the module imports ${names}; only ic0.* is there in a canister`);
    }
    return out;
  } finally {
    module.dispose();
  }
}
