// Makes the WebAssembly module of the canister; build.mjs runs this with tsx, for azle's sources are
// TypeScript:
//     node --import tsx coordinator/scripts/compile.mjs <out.wasm>
//
// The steps are those of "azle build" (azle 0.33, src/stable/build/commands/build/index.ts), with
// two changes to the JavaScript, because a message pays for each page of memory it touches and all
// JavaScript lies in memory, spread over what it takes:
// - the tables of the world's text encodings, six times the rest together, are left out: UTF-8 is
//   enough, and src/canister/text-encoding.ts has it
// - it is minified
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

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

const onlyUtf8 = {
  name: 'only UTF-8',
  setup(bundler) {
    const path = join(here, 'src', 'canister', 'text-encoding.ts');
    bundler.onResolve({ filter: /^@sinonjs\/text-encoding$/ }, () => ({ path }));
  },
};

const javaScript = await bundle();
const { version } = JSON.parse(readFileSync(join(azle, 'package.json'), 'utf8'));
const wasmData = { envVars: [['AZLE_VERSION', version]], mainJsPath: 'main.js' };
const { methodMeta } = await getCandidAndMethodMeta('custom', candid, javaScript, 'pipe', wasmData);
writeFileSync(out, await getWasmBinary('pipe', javaScript, wasmData, methodMeta));

async function bundle() {
  const entry = `
    import 'azle/_internal/globals';
    import { getDefaultVisitorData, IDL, idlToString } from 'azle';
    import * as CanisterModule from ${JSON.stringify(join(root, main))};
    createGetCandidAndMethodMetaFunction(CanisterModule);
    ${handleClassApiCanister(main)}
  `;
  const options = getBuildOptions(entry, main);
  const { outputFiles } = await build({
    ...options,
    minify: true,
    plugins: [...options.plugins, onlyUtf8],
  });
  return outputFiles[0].text;
}
