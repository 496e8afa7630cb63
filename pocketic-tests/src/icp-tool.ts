import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import wabt from 'wabt';

const installed = fileURLToPath(
  new URL('../icp-tool/node_modules/@icp-sdk/icp-cli-linux-x64/bin/icp', import.meta.url),
);

/** The official tool: the one `ICP_BIN` names, or the one that `npm run test:icp` installed. */
export function icpTool(): string | undefined {
  const named = process.env['ICP_BIN'];
  if (named !== undefined && named !== '') return resolve(named);
  return existsSync(installed) ? installed : undefined;
}

/** What a command ended with. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A project of the official tool in a folder, with identities of its own. */
export class IcpProject {
  constructor(
    readonly tool: string,
    readonly folder: string,
  ) {}

  /** Writes `icp.yaml` and the module of its one canister, `counter`. */
  async write(url: string): Promise<void> {
    await mkdir(join(this.folder, 'home'), { recursive: true });
    await writeFile(join(this.folder, 'counter.wasm'), await counterModule());
    await writeFile(join(this.folder, 'icp.yaml'), manifest(url));
  }

  /** Runs `icp` in the project. */
  run(...args: string[]): Promise<Ended> {
    const home = join(this.folder, 'home');
    const env = { ...process.env, HOME: home, ICP_HOME: join(home, 'icp'), DO_NOT_TRACK: '1' };
    return new Promise((done) => {
      execFile(this.tool, args, { cwd: this.folder, env }, (error, stdout, stderr) => {
        done({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr });
      });
    });
  }

  /** Runs `icp` against the local network; gives what it prints. Throws where it fails. */
  async ok(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...args, '-e', 'canopy');
    if (code !== 0) throw new Error(`icp ${args.join(' ')} ended with ${code}: ${stderr}`);
    return stdout;
  }
}

function manifest(url: string): string {
  return `canisters:
  - name: counter
    build:
      steps:
        - type: script
          commands:
            - cp counter.wasm "$ICP_WASM_OUTPUT_PATH"
networks:
  - name: canopy
    mode: connected
    url: ${url}
    root-key: fetch
environments:
  - name: canopy
    network: canopy
    canisters: [counter]
`;
}

const candid = 'service : { add : () -> (nat64); get : () -> (nat64) query }';

/** A canister that counts, and logs that it did. */
async function counterModule(): Promise<Uint8Array> {
  const assembler = await wabt();
  const module = assembler.parseWat(
    'counter.wat',
    `(module
      (import "ic0" "debug_print" (func $print (param i32 i32)))
      (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
      (import "ic0" "msg_reply" (func $reply))
      (memory 1)
      (data (i32.const 0) "DIDL\\00\\01\\78")
      (data (i32.const 32) "counted")
      (func $answer (call $append (i32.const 0) (i32.const 15)) (call $reply))
      (func (export "canister_update add")
        (i64.store (i32.const 7) (i64.add (i64.load (i32.const 7)) (i64.const 1)))
        (call $print (i32.const 32) (i32.const 7))
        (call $answer))
      (func (export "canister_query get") (call $answer)))`,
  );
  const { buffer } = module.toBinary({});
  module.destroy();
  return Buffer.concat([buffer, customSection('icp:public candid:service', candid)]);
}

/** A custom section of less than 128 bytes. */
function customSection(name: string, content: string): Uint8Array {
  const body = Buffer.from(name + content);
  return Buffer.from([0, body.length + 1, name.length, ...body]);
}
