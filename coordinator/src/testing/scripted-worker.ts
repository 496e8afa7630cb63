import wabt from 'wabt';

/** Answers of a scripted worker, by method; each is set with an update call `script <name>`. */
export const scripts = ['status', 'enqueue', 'fetch', 'reject'] as const;

/** Largest answer. */
const slotBytes = 4 * 1024 * 1024;

function method(kind: string, name: string, slot: number): string {
  const at = (slot + 1) * slotBytes;
  return `
    (func (export "canister_update script ${name}")
      (i32.store (i32.const ${slot * 4}) (call $arg_size))
      (call $arg_copy (i32.const ${at}) (i32.const 0) (call $arg_size))
      (call $reply))
    (func (export "${kind} ${name}")
      ${
        name === 'enqueue'
          ? `(if (i32.load (i32.const ${scripts.indexOf('reject') * 4}))
              (then (call $reject
                (i32.const ${(scripts.indexOf('reject') + 1) * slotBytes})
                (i32.load (i32.const ${scripts.indexOf('reject') * 4})))
                (return)))`
          : ''
      }
      (call $append (i32.const ${at}) (i32.load (i32.const ${slot * 4})))
      (call $reply))`;
}

const source = `(module
  (import "ic0" "msg_arg_data_size" (func $arg_size (result i32)))
  (import "ic0" "msg_arg_data_copy" (func $arg_copy (param i32 i32 i32)))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "msg_reply" (func $reply))
  (import "ic0" "msg_reject" (func $reject (param i32 i32)))
  (memory ${((scripts.length + 1) * slotBytes) / 65536})
  (func (export "canister_update release") (call $reply))
  ${method('canister_query', 'status', 0)}
  ${method('canister_update', 'enqueue', 1)}
  ${method('canister_query', 'fetch', 2)}
  ${method('canister_query', 'reject', 3)}
)`;

/** A canister with a worker's methods that answers what it was told to answer. */
export async function scriptedWorker(): Promise<Uint8Array> {
  const module = (await wabt()).parseWat('worker.wat', source);
  return module.toBinary({}).buffer;
}
