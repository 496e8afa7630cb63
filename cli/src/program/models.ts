/** Commands about a model file. What they do is loaded when they run. */
import { Option, type Command } from 'commander';
import type { BenchFlags } from '../commands/bench.js';
import type { PlanFlags } from '../commands/plan.js';
import { parseCount, parseCounts } from '../options.js';
import type { Output } from '../output.js';
import { dimOption, identityOption, parser, withPlanOptions } from './options.js';

export function addModelCommands(program: Command, output: () => Output): void {
  withPlanOptions(program.command('plan'))
    .argument('<model>', 'ONNX file')
    .description('show how a model is cut over workers, and what a request would cost')
    .addHelpText(
      'after',
      '\nExamples:\n  canopy plan model.onnx --max-weights 4MiB\n  canopy plan model.onnx --workers 4 --dim batch=8' +
        '\n  canopy plan model.onnx --workers auto --for throughput',
    )
    .action(async (model: string, flags: PlanFlags) => {
      const { planCommand } = await import('../commands/plan.js');
      await planCommand(model, flags, output());
    });

  program
    .command('operators')
    .argument('[names...]', 'operators to ask for; all where none is named')
    .description('show which ONNX operators workers run, and in which forms')
    .action(async (names: string[]) => {
      const { operatorsCommand } = await import('../commands/operators.js');
      operatorsCommand(names, output());
    });

  program
    .command('bench')
    .argument('<model>', 'ONNX file')
    .description('measure what a model takes: rounds or seconds, instructions, cycles')
    .option('--workers <counts>', 'numbers of workers', parser(parseCounts), [1, 4])
    .option('--pipelines <count>', 'pipelines they form (default: 1)', parser(parseCount))
    .option('--batch <counts>', 'inputs a request', parser(parseCounts), [1])
    .option('--concurrency <counts>', 'requests in flight', parser(parseCounts), [1, 16])
    .option(
      '--requests <count>',
      'requests in all (default: two for each in flight)',
      parser(parseCount),
    )
    .addOption(
      new Option('--ic <kind>', 'IC to measure on (default: embedded)').choices([
        'embedded',
        'pocket-ic',
      ]),
    )
    .option('--pocket-ic-url <url>', 'address of a PocketIC server that runs, to measure on')
    .option('--replica <url>', 'address of a replica to measure on, in seconds')
    .addOption(identityOption())
    .addOption(
      new Option('--costs <schedules...>', 'cost schedules of memory, of the embedded IC').choices([
        '2026-07',
        '2025-10',
      ]),
    )
    .addOption(dimOption())
    .option('--save <file>', 'write the result as JSON, too')
    .addHelpText(
      'after',
      '\nFigures are defined in bench/METHODOLOGY.md. "--ic pocket-ic" starts the server that POCKET_IC_BIN' +
        '\nnames, or the one of @dfinity/pic.\nExamples:' +
        '\n  canopy bench model.onnx --workers 1,2,4 --batch 1,8 --concurrency 1,16' +
        '\n  canopy bench model.onnx --replica http://127.0.0.1:4943',
    )
    .action(async (model: string, flags: BenchFlags) => {
      const { benchCommand } = await import('../commands/bench.js');
      await benchCommand(model, flags, output());
    });
}
