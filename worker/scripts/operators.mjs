import * as protocol from '@canopy/protocol';

const header = '// Written by scripts/build.mjs from protocol/src/operators. Do not edit.';
const pascal = (name) => name[0].toUpperCase() + name.slice(1);
const camel = (name) => name[0].toLowerCase() + name.slice(1);
/** The worker's file of an operator: `LayerNorm` is in `layer-norm.ts`. */
const kebab = (name) => name.replace(/(?<=[a-z\d])(?=[A-Z])/g, '-').toLowerCase();
const described = Object.values(protocol.operators);

/** AssemblyScript that reads one attribute whose first word is at `at`, an expression. */
function reader(name, type, at) {
  const of = (result, body, argument = '') =>
    `export function ${name}(${argument}): ${result} {\n  return ${body};\n}`;
  switch (type.kind) {
    case 'i32':
      return of('i32', `attr(${at})`);
    case 'u32':
      return of('u32', `<u32>attr(${at})`);
    case 'bool':
      return of('bool', `attr(${at}) != 0`);
    case 'f32':
      return of('f32', `attrF(${at})`);
    case 'f64':
      return of('f64', `reinterpret<f64>(attrBits(${at}))`);
    case 'bits64':
      return of('u64', `attrBits(${at})`);
    case 'tuple':
      return of('i32', `attr(${at} + i)`, 'i: u32');
    case 'list':
    case 'floats': {
      const [result, read] = type.kind === 'list' ? ['i32', 'attr'] : ['f32', 'attrF'];
      return [
        of('u32', `<u32>attr(${at})`).replace(name, `${name}Count`),
        of(result, `${read}(${at} + 1 + i)`, 'i: u32'),
      ].join('\n');
    }
    case 'rest':
      return [
        of('u32', `attrCount - (${at})`).replace(name, `${name}Count`),
        of('i32', `attr(${at} + i)`, 'i: u32'),
      ].join('\n');
    case 'group':
      return `/** Word at which the group begins. */\nexport const ${name}At: u32 = ${at};`;
    default:
      throw new Error(`attribute ${name}: no way to read "${type.kind}"`);
  }
}

/** What reads the attributes of an operator, and the check of how many words they are. */
function operatorSource({ name, code, attributes }) {
  let fixed = 0;
  let lists = 0;
  let rest = false;
  const readers = Object.entries(attributes).map(([attribute, type]) => {
    const isList = type.words === undefined;
    if (rest || (lists > 0 && !isList)) throw new Error(`${name}: lists stand behind the others`);
    const at = lists === 0 ? `${fixed}` : `listAt(${fixed}, ${lists})`;
    const source = reader(camel(name) + pascal(attribute), type, at);
    if (!isList) fixed += type.words;
    else if (type.kind === 'rest') rest = true;
    else lists++;
    return source;
  });
  const needed = lists === 0 ? `${fixed}` : `listAt(${fixed}, ${lists})`;
  const check = `    case ${code}:\n      return attrCount ${rest ? '>=' : '=='} ${needed};`;
  return { readers, check };
}

/** Places of the words of attributes that several operators have, from the first of them. */
function groupSource(name, list) {
  let at = 0;
  const lines = Object.entries(list).map(([attribute, { words }]) => {
    const line = `  export const ${attribute}: u32 = ${at};`;
    at += words;
    return line;
  });
  return `export namespace ${name} {\n${lines.join('\n')}\n}`;
}

/** AssemblyScript source of what reads attributes by their names. */
export function attributesSource() {
  const sources = described.map(operatorSource);
  return [
    header,
    "import { attr, attrBits, attrCount, attrF, listAt } from '../../tensor/node';",
    '',
    groupSource('WindowWords', protocol.windowAttributes),
    groupSource('EpilogueWords', protocol.epilogue.list),
    groupSource('GateFunctionWords', protocol.gateFunction.list),
    ...sources.flatMap(({ readers }) => readers),
    '',
    '/** Whether the node under way has as many attribute words as its operator. */',
    'export function hasItsWords(code: u32): bool {',
    '  switch (code) {',
    ...sources.map(({ check }) => check),
    '    default:',
    '      return true;',
    '  }',
    '}',
    '',
  ].join('\n');
}

/** AssemblyScript source of the way from an operator's code to its function. */
export function dispatchSource() {
  return [
    header,
    ...described.map(({ name }) => `import { ${camel(name)} } from '../${kebab(name)}';`),
    "import { UNKNOWN } from '../status';",
    '',
    '/** Runs the operator of a code; UNKNOWN where there is none. */',
    'export function dispatch(code: u32): i32 {',
    '  switch (code) {',
    ...described.map(({ name, code }) => `    case ${code}:\n      return ${camel(name)}();`),
    '    default:',
    '      return UNKNOWN;',
    '  }',
    '}',
    '',
  ].join('\n');
}
