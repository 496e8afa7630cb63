import { ValType } from '../module-format.js';

/** A function type: value types by their binary code. */
export interface Signature {
  params: readonly number[];
  results: readonly number[];
}

/**
 * The functions of `ic0` (IC interface specification, "Overview of imports"), `params>results`:
 * `i` i32, `I` i64, `a` an address or size, as wide as the memory's addresses.
 */
const systemApi: Record<string, string> = {
  msg_arg_data_size: '>a',
  msg_arg_data_copy: 'aaa>',
  msg_caller_size: '>a',
  msg_caller_copy: 'aaa>',
  msg_reject_code: '>i',
  msg_reject_msg_size: '>a',
  msg_reject_msg_copy: 'aaa>',
  msg_deadline: '>I',
  msg_reply_data_append: 'aa>',
  msg_reply: '>',
  msg_reject: 'aa>',
  msg_cycles_available128: 'a>',
  msg_cycles_refunded128: 'a>',
  msg_cycles_accept128: 'IIa>',
  cycles_burn128: 'IIa>',
  canister_self_size: '>a',
  canister_self_copy: 'aaa>',
  canister_cycle_balance128: 'a>',
  canister_liquid_cycle_balance128: 'a>',
  canister_status: '>i',
  canister_version: '>I',
  subnet_self_size: '>a',
  subnet_self_copy: 'aaa>',
  root_key_size: '>a',
  root_key_copy: 'aaa>',
  msg_method_name_size: '>a',
  msg_method_name_copy: 'aaa>',
  accept_message: '>',
  call_new: 'aaaaaaaa>',
  call_on_cleanup: 'aa>',
  call_data_append: 'aa>',
  call_with_best_effort_response: 'i>',
  call_cycles_add128: 'II>',
  call_perform: '>i',
  stable64_size: '>I',
  stable64_grow: 'I>I',
  stable64_write: 'III>',
  stable64_read: 'III>',
  certified_data_set: 'aa>',
  data_certificate_present: '>i',
  data_certificate_size: '>a',
  data_certificate_copy: 'aaa>',
  time: '>I',
  global_timer_set: 'I>I',
  performance_counter: 'i>I',
  is_controller: 'aa>i',
  in_replicated_execution: '>i',
  cost_call: 'IIa>',
  cost_create_canister: 'a>',
  cost_http_request: 'IIa>',
  cost_sign_with_ecdsa: 'aaia>i',
  cost_sign_with_schnorr: 'aaia>i',
  cost_vetkd_derive_key: 'aaia>i',
  env_var_count: '>a',
  env_var_name_size: 'a>a',
  env_var_name_copy: 'aaaa>',
  env_var_name_exists: 'aa>i',
  env_var_value_size: 'aa>a',
  env_var_value_copy: 'aaaaa>',
  debug_print: 'aa>',
  trap: 'aa>',
  mint_cycles128: 'IIa>',
};

/** Functions that came in 2026. */
const systemApi2026: Record<string, string> = {
  msg_caller_info_data_size: '>a',
  msg_caller_info_data_copy: 'aaa>',
  msg_caller_info_signer_size: '>a',
  msg_caller_info_signer_copy: 'aaa>',
  subnet_self_node_count: '>i',
};

/** Functions that a canister with a 64-bit memory does not have. */
const systemApi32: Record<string, string> = {
  msg_cycles_available: '>I',
  msg_cycles_refunded: '>I',
  msg_cycles_accept: 'I>I',
  canister_cycle_balance: '>I',
  call_cycles_add: 'I>',
  stable_size: '>i',
  stable_grow: 'i>i',
  stable_write: 'iii>',
  stable_read: 'iii>',
};

/** The functions of `ic0` that a network has. */
export type SystemApi = '2025' | '2026';

/** The signature of an `ic0` function, `undefined` if there is none of that name. */
export function systemApiSignature(
  name: string,
  memory64: boolean,
  api: SystemApi,
): Signature | undefined {
  const text =
    own(systemApi, name) ??
    (memory64 ? undefined : own(systemApi32, name)) ??
    (api === '2026' ? own(systemApi2026, name) : undefined);
  if (text === undefined) return undefined;
  const types = (letters: string): number[] =>
    Array.from(letters, (letter) => {
      const wide = letter === 'I' || (letter === 'a' && memory64);
      return wide ? ValType.i64 : ValType.i32;
    });
  const [params, results] = text.split('>') as [string, string];
  return { params: types(params), results: types(results) };
}

function own(table: Record<string, string>, name: string): string | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

const typeNames = new Map<number, string>([
  [ValType.i32, 'I32'],
  [ValType.i64, 'I64'],
  [ValType.f32, 'F32'],
  [ValType.f64, 'F64'],
  [ValType.v128, 'V128'],
  [ValType.funcref, 'Ref(funcref)'],
  [ValType.externref, 'Ref(externref)'],
]);

/** A type as the replica prints it. */
export function typeName(type: number): string {
  return typeNames.get(type) ?? `0x${type.toString(16)}`;
}

/** A list of types as the replica prints it: `[I32, I64]`. */
export function typeList(types: Iterable<number>): string {
  return `[${Array.from(types, typeName).join(', ')}]`;
}
