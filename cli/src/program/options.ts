import { InvalidArgumentError, Option, type Command } from 'commander';
import { UsageError } from '../errors.js';
import {
  collectDim,
  collectFixed,
  collectInput,
  parseBytes,
  parseCountOrAuto,
  parsePositive,
} from '../options.js';

/** Makes commander name the option in the error of a parser. */
export function parser<T>(
  parse: (text: string, earlier?: T) => T,
): (text: string, earlier?: T) => T {
  return (text, earlier) => {
    try {
      return parse(text, earlier);
    } catch (error) {
      if (error instanceof UsageError) throw new InvalidArgumentError(error.message);
      throw error;
    }
  };
}

export const dimOption = (): Option =>
  new Option('--dim <name=size>', 'size of an open dimension to plan with (repeatable)').argParser(
    parser<Record<string, number>>(collectDim),
  );

export const replicaOption = (): Option =>
  new Option('--replica <url>', 'address of a replica (default: the local IC)');

/** Options of the commands that ask an IC. */
export function withConnection(command: Command): Command {
  return command
    .option(
      '--network <name>',
      '"local", "ic" for mainnet, or the address of a network (default: local, or where the deployment is)',
    )
    .addOption(replicaOption().hideHelp())
    .addOption(identityOption());
}

export const identityOption = (): Option =>
  new Option(
    '--identity <file>',
    'PEM file of the key to call with, as "icp identity export" and dfx write it (default: anonymous)',
  ).env('CANOPY_IDENTITY');

/** Options of the commands that plan a model. */
export function withPlanOptions(command: Command): Command {
  return command
    .option('--max-weights <size>', 'most weights in one worker, such as 4MiB', parser(parseBytes))
    .option('--workers <count>', 'number of workers in all, or "auto"', parser(parseCountOrAuto))
    .option(
      '--pipelines <count>',
      'copies of the whole model that the workers form and that share the requests, or "auto" ' +
        '(default: 1; with "--workers auto": auto)',
      parser(parseCountOrAuto),
    )
    .addOption(new Option('--for <goal>', 'what "auto" aims at').choices(['throughput', 'latency']))
    .addOption(dimOption())
    .option(
      '--fix <name=value>',
      'value that an input, or size that an open dimension, has for good (repeatable)',
      parser<Record<string, number[]>>(collectFixed),
    )
    .addOption(
      new Option(
        '--weights <type>',
        'how the constant matrices of products are stored (default: f32)',
      ).choices(['f32', 'int8', 'int4']),
    )
    .addOption(
      new Option(
        '--weight-block <count>',
        'numbers that share an int4 scale (default: 32)',
      ).choices(['32', '128']),
    )
    .option(
      '--input <name=file>',
      'input on which the plan is compared with onnxruntime before anything is deployed (repeatable)',
      parser<string[]>(collectInput),
    )
    .option(
      '--max-error <number>',
      'refuse a plan that is further off than this on the given inputs',
      parser(parsePositive),
    )
    .option('--name <name>', 'name of the model and its deployment');
}
