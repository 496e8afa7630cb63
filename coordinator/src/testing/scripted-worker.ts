import wabt from 'wabt';

/**
 * Answers of a scripted worker, by method; each is set with an update call `script <name>`. While `reject`
 * is not empty, `enqueue` is rejected with it; while `hold` is not, `enqueue` is not answered; while `twice` is not, answers
 * are given twice, one behind the other.
 */
export const scripts = ['status', 'enqueue', 'fetch', 'reject', 'hold', 'twice'] as const;

type Script = (typeof scripts)[number];
const bytesOf = (name: Script): string => `(i32.load (i32.const ${scripts.indexOf(name) * 4}))`;
const startOf = (name: Script): number => (scripts.indexOf(name) + 1) * slotBytes;

/** Largest answer. */
const slotBytes = 4 * 1024 * 1024;
/** Where the worker's own id is put, and where the name of the method stands that it calls at itself. */
const selfAt = 1024;
const nameAt = 2048;

function method(kind: string, name: Script): string {
  const at = startOf(name);
  return `
    (func (export "canister_update script ${name}")
      (i32.store (i32.const ${scripts.indexOf(name) * 4}) (call $arg_size))
      (call $arg_copy (i32.const ${at}) (i32.const 0) (call $arg_size))
      (call $reply))
    (func $do_${name} (export "${kind} ${name}")
      ${name === 'enqueue' ? beforeEnqueue : ''}
      (call $append (i32.const ${at}) ${bytesOf(name)})
      (if ${bytesOf('twice')} (then (call $append (i32.const ${at}) ${bytesOf(name)})))
      (call $reply))`;
}

/** A call that is held waits for calls of the worker to itself, one after the other. */
const beforeEnqueue = `
  (if ${bytesOf('hold')} (then (call $call_itself) (return)))
  (if ${bytesOf('reject')} (then
    (call $reject (i32.const ${startOf('reject')}) ${bytesOf('reject')})
    (return)))`;

const source = `(module
  (import "ic0" "msg_arg_data_size" (func $arg_size (result i32)))
  (import "ic0" "msg_arg_data_copy" (func $arg_copy (param i32 i32 i32)))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "msg_reply" (func $reply))
  (import "ic0" "msg_reject" (func $reject (param i32 i32)))
  (import "ic0" "canister_self_size" (func $self_size (result i32)))
  (import "ic0" "canister_self_copy" (func $self_copy (param i32 i32 i32)))
  (import "ic0" "call_new" (func $call_new (param i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "ic0" "call_perform" (func $call_perform (result i32)))
  (memory ${((scripts.length + 1) * slotBytes) / 65536})
  (table funcref (elem $after_itself))
  (data (i32.const ${nameAt}) "release")
  (func (export "canister_update release") (call $reply))
  (func $after_itself (param i32) (call $do_enqueue))
  (func $call_itself
    (call $self_copy (i32.const ${selfAt}) (i32.const 0) (call $self_size))
    (call $call_new
      (i32.const ${selfAt}) (call $self_size) (i32.const ${nameAt}) (i32.const 7)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
    (drop (call $call_perform)))
  ${method('canister_update', 'enqueue')}
  ${scripts
    .filter((name) => name !== 'enqueue')
    .map((name) => method('canister_query', name))
    .join('')}
)`;

/** A canister with a worker's methods that answers what it was told to answer. */
export async function scriptedWorker(): Promise<Uint8Array> {
  const module = (await wabt()).parseWat('worker.wat', source);
  return module.toBinary({}).buffer;
}
