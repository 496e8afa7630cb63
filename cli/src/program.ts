import { Command, InvalidArgumentError, Option } from 'commander';
import { benchCommand, type BenchFlags } from './commands/bench.js';
import { deployCommand, type DeployFlags } from './commands/deploy.js';
import { localStart, localStatus, localStop } from './commands/local.js';
import { planCommand, type PlanFlags } from './commands/plan.js';
import { runCommand, type RunFlags } from './commands/run.js';
import { statusCommand } from './commands/status.js';
import { CommandError, UsageError } from './errors.js';
import {
  collectDim,
  collectPair,
  parseBytes,
  parseCount,
  parseCountOrAuto,
  parseCounts,
} from './options.js';
import { makeOutput, type Output } from './output.js';

/** Makes commander name the option in the error of a parser. */
function parser<T>(parse: (text: string, earlier?: T) => T): (text: string, earlier?: T) => T {
  return (text, earlier) => {
    try {
      return parse(text, earlier);
    } catch (error) {
      if (error instanceof UsageError) throw new InvalidArgumentError(error.message);
      throw error;
    }
  };
}

function withPlanOptions(command: Command): Command {
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
    .option(
      '--dim <name=size>',
      'size of an open dimension to plan with (repeatable)',
      parser<Record<string, number>>(collectDim),
    )
    .option('--name <name>', 'name of the model and its deployment');
}

const replicaOption = (): Option =>
  new Option('--replica <url>', 'address of a replica (default: the local IC)');

/** The command line, without running it. */
export function makeProgram(): Command {
  const program = new Command('canopy')
    .description('Runs neural networks that are larger than one Internet Computer canister.')
    .option('--json', 'print results as JSON')
    .option('--quiet', 'show no progress')
    .showHelpAfterError('(canopy --help shows what is possible)')
    .exitOverride();
  const output = (): Output => makeOutput(program.opts<{ json?: boolean; quiet?: boolean }>());

  withPlanOptions(program.command('plan'))
    .argument('<model>', 'ONNX file')
    .description('show how a model is cut over workers, and what a request would cost')
    .addHelpText(
      'after',
      '\nExamples:\n  canopy plan model.onnx --max-weights 4MiB\n  canopy plan model.onnx --workers 4 --dim batch=8' +
        '\n  canopy plan model.onnx --workers auto --for throughput',
    )
    .action((model: string, flags: PlanFlags) => planCommand(model, flags, output()));

  withPlanOptions(program.command('deploy'))
    .argument('<model>', 'ONNX file')
    .description('put a model on an Internet Computer, or go on where that was interrupted')
    .addOption(replicaOption())
    .option(
      '--manifest <file>',
      'where to keep the manifest (default: .canopy/deployments/NAME.json)',
    )
    .option(
      '--open-calls <count>',
      'calls of infer that wait for their result at a time; more get a ticket (default: 2)',
      parser<number>((text) => parseCount(text, 0)),
    )
    .option('--fresh', 'begin anew, with new canisters, even where there is a manifest')
    .addHelpText(
      'after',
      '\nExamples:\n  canopy local start\n  canopy deploy model.onnx --name mine --max-weights 4MiB',
    )
    .action((model: string, flags: DeployFlags) => deployCommand(model, flags, output()));

  program
    .command('run')
    .argument('<deployment>', "a deployment's name, or the path of its manifest")
    .description('run a deployed model')
    .option(
      '--input <name=file>',
      'a tensor as .json (nested lists), .npy or .pb (repeatable)',
      parser<Record<string, string>>(collectPair),
    )
    .option(
      '--output <folder>',
      'write results as .npy into a folder, or as JSON to stdout with "-"',
    )
    .addOption(replicaOption())
    .addHelpText(
      'after',
      '\nExamples:\n  canopy run mine --input x=image.npy --output results\n  canopy run mine --input ids=ids.json --input mask=mask.json --output -',
    )
    .action((deployment: string, flags: RunFlags) => runCommand(deployment, flags, output()));

  program
    .command('bench')
    .argument('<model>', 'ONNX file')
    .description('measure what a model takes: rounds or seconds, instructions, cycles')
    .option('--workers <counts>', 'numbers of workers', parser(parseCounts), [1, 4])
    .option('--pipelines <count>', 'pipelines they form (default: 1)', parser(parseCount))
    .option('--batch <counts>', 'inputs a request', parser(parseCounts), [1])
    .option('--concurrency <counts>', 'requests in flight', parser(parseCounts), [1, 16])
    .addOption(
      new Option('--ic <kind>', 'IC to measure on (default: embedded)').choices([
        'embedded',
        'pocket-ic',
      ]),
    )
    .option('--pocket-ic-url <url>', 'address of a PocketIC server that runs, to measure on')
    .option('--replica <url>', 'address of a replica to measure on, in seconds')
    .addOption(
      new Option('--costs <schedules...>', 'cost schedules of memory, of the embedded IC').choices([
        '2026-07',
        '2025-10',
      ]),
    )
    .option(
      '--dim <name=size>',
      'size of an open dimension (repeatable)',
      parser<Record<string, number>>(collectDim),
    )
    .option('--save <file>', 'write the result as JSON, too')
    .addHelpText(
      'after',
      '\nFigures are defined in bench/METHODOLOGY.md. "--ic pocket-ic" starts the server that POCKET_IC_BIN' +
        '\nnames, or the one of @dfinity/pic.\nExamples:' +
        '\n  canopy bench model.onnx --workers 1,2,4 --batch 1,8 --concurrency 1,16' +
        '\n  canopy bench model.onnx --replica http://127.0.0.1:4943',
    )
    .action((model: string, flags: BenchFlags) => benchCommand(model, flags, output()));

  program
    .command('status')
    .argument('[deployment]', "a deployment's name, or the path of its manifest")
    .description('list the deployments made here, or show the health of one')
    .addOption(replicaOption())
    .action((name: string | undefined, flags: { replica?: string }) =>
      statusCommand(name, flags, output()),
    );

  const local = program.command('local').description('an Internet Computer on this machine');
  local
    .command('start')
    .description('start it in the background')
    .option('--port <port>', 'port for agents (default: any free one)', parser(parseCount))
    .addHelpText('after', "\nPOCKET_IC_BIN names another server that speaks PocketIC's interface.")
    .action((flags: { port?: number }) => localStart(flags, output()));
  local
    .command('stop')
    .description('stop it; what was deployed there is gone')
    .action(() => localStop(output()));
  local
    .command('status')
    .description('tell whether it runs; exit code 1 where it does not')
    .action(async () => {
      if (!(await localStatus(output()))) throw new CommandError('');
    });
  for (const command of [program, ...program.commands, ...local.commands]) command.exitOverride();
  return program;
}
