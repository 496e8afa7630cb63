import { DType, dtypeBytes, OpCode } from '@canopy/protocol';
import { CanisterInstance, compileModule } from '../../local-ic/dist/wasm/index.js';
import { compileEngine } from '../dist/engine-tests/compile.js';

const limit = 40_000_000_000_000;

const { wasm } = await compileEngine();
const modules = ['2025-10', '2026-07'].map((schedule) => compileModule(wasm, schedule));

function argumentOf({ op, inputs, words = [], dies = [], outputs = 1 }) {
  const dying = dies.reduce((mask, i) => mask | (1 << i), 0);
  const head = [OpCode[op], inputs.length, outputs, words.length, dying, ...words];
  let at = (head.length + 14 * inputs.length) * 4;
  const parts = [];
  for (const input of inputs) {
    const tensor = new Array(14).fill(0);
    if (input === undefined) tensor[1] = 0xffffffff;
    else {
      const { dims, dtype = 'float32', values } = input;
      const bytes = new Uint8Array(dims.reduce((p, d) => p * d, 1) * dtypeBytes(dtype));
      if (values && dtype === 'int64') new BigInt64Array(bytes.buffer).set(values.map(BigInt));
      else if (dtype === 'float32') {
        const floats = new Float32Array(bytes.buffer);
        if (values) floats.set(values);
        else for (let i = 0; i < floats.length; i++) floats[i] = (i % 251) / 125 - 1;
      }
      tensor.splice(0, 4, DType[dtype], dims.length, bytes.length, at);
      dims.forEach((dim, i) => (tensor[6 + i] = dim));
      parts.push([at, bytes]);
      at += Math.ceil(bytes.length / 16) * 16;
    }
    head.push(...tensor);
  }
  const argument = new Uint8Array(at);
  argument.set(new Uint8Array(new Uint32Array(head).buffer));
  for (const [offset, bytes] of parts) argument.set(bytes, offset);
  return argument;
}

/**
 * Counts what one node costs on the embedded IC: instructions of the operator alone (schedule
 * 2025-10) and with the pages it touches (2026-07), as if the node had a message of its own.
 *
 * `node`: op, inputs [{dims, dtype?, values?}], words?, dies?, outputs?
 */
export function countNode(node) {
  const argument = argumentOf(node);
  const counts = modules.map((module) => {
    const instance = new CanisterInstance(module, {
      performance_counter: () => 0n,
      msg_arg_data_size: () => argument.length,
      msg_arg_data_copy: (to) => instance.writeBytes(to, argument),
      msg_reply_data_append: () => undefined,
    });
    instance.run({ start: true }, limit);
    instance.commit();
    const totals = ['stage', 'execute'].map((name) => {
      const outcome = instance.run({ export: name }, limit);
      if (outcome.kind !== 'returned') {
        throw new Error(`${node.op}: ${name} trapped: ${JSON.stringify(outcome.trap)}`);
      }
      instance.commit();
      return outcome.instructions;
    });
    return totals[1];
  });
  return { instructions: counts[0], withPages: counts[1] };
}
