// Makes the WebAssembly module of the canister; build.mjs runs this with tsx, for azle's sources are
// TypeScript:
//     node --import tsx coordinator/scripts/compile.mjs <out.wasm>
//
// The steps are those of "azle build" (azle 0.33, src/stable/build/commands/build/index.ts), with
// two changes to the JavaScript, because a message pays for each page of memory it touches and all
// JavaScript lies in memory, spread over what it takes:
// - modules are replaced by smaller ones, of src/canister/replaced: the tables of the world's text
//   encodings, six times the rest together, by UTF-8; a table by its rule; hashes, which nothing asks for
// - what describes the interface to the build is left out of the module: nothing asks for it later
// - it is minified
// and some to the module, for what azle has no name for: canisterVersion tells the canister's status too,
// canisterCycleBalance what of the balance may be spent, performanceCounter how much memory there is.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import binaryen from 'binaryen';

const here = fileURLToPath(new URL('..', import.meta.url));
const root = join(here, '..');
const azle = join(root, 'node_modules', 'azle');
const steps = join(azle, 'src', 'stable', 'build', 'commands', 'build');
/** Relative to the root, as azle wants it. */
const main = join('coordinator', 'src', 'canister', 'main.ts');
const candid = join(here, 'coordinator.did');
const [out] = process.argv.slice(2);

process.env.AZLE_DFX_ROOT = root;
/** The bundler that azle brings. */
const { build } = createRequire(join(azle, 'package.json'))('esbuild');
const { getBuildOptions, handleClassApiCanister } = await import(join(steps, 'javascript.ts'));
const { getCandidAndMethodMeta } = await import(join(steps, 'candid_and_method_meta', 'index.ts'));
const { getWasmBinary } = await import(join(steps, 'wasm_binary', 'index.ts'));

/** Modules that are replaced by smaller ones of src/canister/replaced, which do what is needed here. */
const replaced = {
  '@sinonjs/text-encoding': 'text-encoding.ts',
  '@noble/hashes/sha2': 'no-hash.ts',
  './utils/getCrc.js': 'crc.ts',
};
const smaller = {
  name: 'smaller modules',
  setup(bundler) {
    for (const [name, file] of Object.entries(replaced)) {
      const filter = new RegExp(`^${name.replace(/[./]/g, '\\$&')}$`);
      const path = join(here, 'src', 'canister', 'replaced', file);
      bundler.onResolve({ filter }, () => ({ path }));
    }
  },
};

const { version } = JSON.parse(readFileSync(join(azle, 'package.json'), 'utf8'));
const wasmData = { envVars: [['AZLE_VERSION', version]], mainJsPath: 'main.js' };
const canister = `import * as CanisterModule from ${JSON.stringify(join(root, main))};`;
const describing = await bundle(`
  import { getDefaultVisitorData, IDL, idlToString } from 'azle';
  ${canister}
  createGetCandidAndMethodMetaFunction(CanisterModule);
  ${handleClassApiCanister(main)}
`);
const { methodMeta } = await getCandidAndMethodMeta('custom', candid, describing, 'pipe', wasmData);
const running = await bundle(`
  ${canister}
  const meta = {
    callbacks: {},
    canisterMethodIdlParamTypes: {},
    canisterMethodsIndex: 0,
    initAndPostUpgradeIdlTypes: [],
    methodMeta: { queries: [], updates: [] },
  };
  CanisterModule.default._azleCanisterClassMeta = meta;
  new CanisterModule.default();
  globalThis._azleDispatch({
    type: 'SET_AZLE_CANISTER_CLASS_META',
    payload: meta,
    location: { filepath: 'main.js', functionName: 'main' },
  });
`);
writeFileSync(out, tellMore(await getWasmBinary('pipe', running, wasmData, methodMeta)));

/** What `code` and all it needs come to; azle's globals stand before it. */
async function bundle(code) {
  const entry = `import 'azle/_internal/globals'; ${code}`;
  const options = getBuildOptions(entry, main);
  const { outputFiles } = await build({
    ...options,
    minify: true,
    plugins: [...options.plugins, smaller],
  });
  return outputFiles[0].text;
}

/** Lets functions of the system interface tell more than they do. */
function tellMore(wasm) {
  const module = binaryen.readBinary(wasm);
  tellStatus(module);
  tellLiquidCycles(module);
  tellMemory(module);
  if (!module.validate()) throw new Error('the module is not valid any more');
  const changed = module.emitBinary();
  module.dispose();
  return changed;
}

/** The name by which the module calls a function of the system interface, which is taken away from it. */
function takeImport(module, wanted) {
  const imported = Array.from({ length: module.getNumFunctions() }, (_, index) =>
    binaryen.getFunctionInfo(module.getFunctionByIndex(index)),
  ).find(({ module: from, base }) => from === 'ic0' && base === wanted);
  if (imported === undefined) throw new Error(`the module does not import ic0.${wanted}`);
  module.removeFunction(imported.name);
  return imported.name;
}

/** Lets what asks for the canister's version get version * 4 + status (1 running, 2 stopping, 3 stopped). */
function tellStatus(module) {
  const { none, i32, i64 } = binaryen;
  const name = takeImport(module, 'canister_version');
  module.addFunctionImport('version_alone', 'ic0', 'canister_version', none, i64);
  module.addFunctionImport('status', 'ic0', 'canister_status', none, i32);
  const version = module.i64.shl(module.call('version_alone', [], i64), module.i64.const(2n));
  const status = module.i64.extend_u(module.call('status', [], i32));
  module.addFunction(name, none, i64, [], module.i64.or(version, status));
}

/**
 * Lets what asks for the balance, 16 bytes at an address, get 8 bytes of it, then 8 of what of it is above the
 * freezing threshold; each 2^64 - 1 where it is more.
 */
function tellLiquidCycles(module) {
  const { none, i32, i64 } = binaryen;
  const name = takeImport(module, 'canister_cycle_balance128');
  module.addFunctionImport('balance128', 'ic0', 'canister_cycle_balance128', i32, none);
  module.addFunctionImport('liquid128', 'ic0', 'canister_liquid_cycle_balance128', i32, none);
  const address = () => module.local.get(0, i32);
  const saturated = () =>
    module.select(
      module.i64.eqz(module.i64.load(8, 0, address())),
      module.i64.load(0, 0, address()),
      module.i64.const(-1n),
    );
  const body = module.block(null, [
    module.call('balance128', [address()], none),
    module.local.set(1, saturated()),
    module.call('liquid128', [address()], none),
    module.i64.store(8, 0, address(), saturated()),
    module.i64.store(0, 0, address(), module.local.get(1, i64)),
  ]);
  module.addFunction(name, i32, none, [i64], body);
}

/** Lets what asks for counter 0 get the pages of the heap and of stable memory together; others are as they were. */
function tellMemory(module) {
  const { none, i32, i64 } = binaryen;
  const name = takeImport(module, 'performance_counter');
  module.addFunctionImport('counter', 'ic0', 'performance_counter', i32, i64);
  module.addFunctionImport('stable_pages', 'ic0', 'stable64_size', none, i64);
  const pages = module.i64.add(
    module.i64.extend_u(module.memory.size()),
    module.call('stable_pages', [], i64),
  );
  const which = () => module.local.get(0, i32);
  const body = module.if(which(), module.call('counter', [which()], i64), pages);
  module.addFunction(name, i32, i64, [], body);
}
