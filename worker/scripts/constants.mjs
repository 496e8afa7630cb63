import * as protocol from '@canopy/protocol';

/** Tables of @canopy/protocol that become namespaces of u32 constants. */
const tables = [
  'DType',
  'OpCode',
  'Activation',
  'UnaryKind',
  'BinaryKind',
  'ReduceKind',
  'PadMode',
  'PoolKind',
  'SamePad',
  'ResizeCoordinates',
  'ResizeMode',
  'ResizeNearest',
  'ResizePolicy',
  'ScatterReduction',
  'WorkerState',
  'EnqueueMode',
  'ResultStatus',
];
/** Numbers of @canopy/protocol that become constants of the same name. */
const numbers = [
  'panelChannels',
  'maxRank',
  'maxSpatialRank',
  'bundleMagic',
  'configurationMagic',
  'principalFieldBytes',
  'shardMagic',
  'shardVersion',
  'shardHeaderBytes',
  'weightsAlignment',
  'weightAlignment',
  'maxStageInputs',
  'absentValue',
  'stageTraceBytes',
  'singleRows',
  'depthPiece',
  'linearBlockFloats',
  'linearMinBlockRows',
  'linearMaxBlockRows',
  'matMulBlockFloats',
  'matMulMinBlockRows',
  'taskHeaderBytes',
  'taskPartBytes',
  'partResultHeaderBytes',
  'traceCountAt',
  'maxBatchesOfRun',
  'maxPartsOfTask',
  'entryLengthBytes',
  'listHeaderBytes',
  'maxMessageBytes',
  'maxStageMessageBytes',
];

/** AssemblyScript source of the constants that worker and protocol share. */
export function constantsSource() {
  const lines = ['// Written by scripts/build.mjs from @canopy/protocol. Do not edit.', ''];
  for (const name of numbers) lines.push(`export const ${name}: u32 = ${protocol[name]};`);
  for (const table of tables) {
    lines.push('', `export namespace ${table} {`);
    for (const [name, value] of Object.entries(protocol[table])) {
      lines.push(`  export const ${name}: u32 = ${value};`);
    }
    lines.push('}');
  }
  lines.push('', '/** Names of operators and types, for texts. */');
  for (const [what, table] of [
    ['opName', protocol.OpCode],
    ['dtypeName', protocol.DType],
  ]) {
    lines.push(`export function ${what}(code: u32): string {`, '  switch (code) {');
    for (const [name, value] of Object.entries(table)) {
      lines.push(`    case ${value}: return '${name}';`);
    }
    lines.push(`    default: return 'unknown';`, '  }', '}');
  }
  lines.push('', '/** Codes that stand in front of a rejection, as `[code] text`. */');
  lines.push('export namespace CanisterError {');
  for (const [name, { code }] of Object.entries(protocol.CanisterError)) {
    lines.push(`  export const ${name}: string = '${code}';`);
  }
  lines.push('}', '');
  return lines.join('\n');
}
