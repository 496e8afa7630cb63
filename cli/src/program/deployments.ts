/** Commands about what is deployed. What they do is loaded when they run. */
import { Option, type Command } from 'commander';
import type { ConnectFlags } from '../connect.js';
import type { DeployFlags } from '../commands/deploy.js';
import type { MetricsFlags } from '../commands/metrics.js';
import type { PlanFlags } from '../commands/plan.js';
import type { RemoveFlags } from '../commands/remove.js';
import type { RunFlags } from '../commands/run.js';
import type { TopFlags } from '../commands/top.js';
import type { TopUpFlags } from '../commands/top-up.js';
import type { UpgradeFlags } from '../commands/upgrade.js';
import {
  collectInput,
  parseCallers,
  parseCount,
  parseCycles,
  parseDuration,
  parseNumbers,
  parsePixels,
  parsePositive,
  parsePositives,
  type CallersFlag,
} from '../options.js';
import type { Output } from '../output.js';
import { parser, withConnection, withPlanOptions } from './options.js';

const deploymentArgument = "a deployment's name, or the path of its manifest";

export function addDeploymentCommands(program: Command, output: () => Output): void {
  withConnection(withPlanOptions(program.command('deploy')))
    .argument('<model>', 'ONNX file')
    .description('put a model on an Internet Computer, or go on where that was interrupted')
    .option(
      '--manifest <file>',
      'where to keep the manifest (default: .canopy/deployments/NAME.json)',
    )
    .option(
      '--open-calls <count>',
      'calls of infer that wait for their result at a time; more get a ticket (default: 2)',
      parser<number>((text) => parseCount(text, 0)),
    )
    .option(
      '--callers <principals>',
      'who may call: "open", or principals with commas between (default: open)',
      parser<CallersFlag>(parseCallers),
    )
    .option(
      '--allow-anonymous',
      'let callers in that do not say who they are (default on a local network)',
    )
    .option('--no-allow-anonymous', 'let no such callers in (default elsewhere)')
    .option(
      '--cycles <amount>',
      'cycles each canister is created with, such as 2T or 500B (default: what the preview recommends)',
      parser(parseCycles),
    )
    .option('--subnet <id>', 'subnet that canisters are created on (default: one for all)')
    .option(
      '--canisters <file>',
      'empty canisters of yours to take, one id a line: for the coordinator, then the workers',
    )
    .option(
      '--create-again',
      'create the canister once more of which an earlier run could not tell whether it was created',
    )
    .addOption(
      new Option('--profile <name>', 'prices of the preview')
        .choices(['2025-10', '2026-07', '2026-11'])
        .default('2026-07'),
    )
    .option(
      '--rate <count>',
      'inferences a day that the preview and its recommendation reckon with',
      parser<number>((text) => parseCount(text, 0)),
      100,
    )
    .option(
      '--usd <price>',
      'US dollars a trillion cycles (default: 1.36)',
      parser<number>(parsePositive),
      1.36,
    )
    .option('--preview', 'show what it takes, and do nothing')
    .option('--yes', 'do not ask')
    .option('--fresh', 'begin anew, with new canisters, even where there is a manifest')
    .addHelpText(
      'after',
      '\nExamples:\n  canopy local start\n  canopy deploy model.onnx --name mine --max-weights 4MiB' +
        '\n  canopy deploy model.onnx --network ic --preview\n  canopy deploy model.onnx --network ic --identity key.pem',
    )
    .action(async (model: string, flags: DeployFlags) => {
      const { deployCommand } = await import('../commands/deploy.js');
      await deployCommand(model, flags, output());
    });

  withConnection(program.command('run'))
    .argument('<deployment>', deploymentArgument)
    .description('run a deployed model')
    .option(
      '--input <name=file>',
      'a tensor as .json (nested lists), .npy or .pb, or a picture as .png or .jpg (repeatable)',
      parser<string[]>(collectInput),
    )
    .option('--resize <size>', 'scale pictures to WIDTHxHEIGHT pixels', parser(parsePixels))
    .addOption(
      new Option('--layout <order>', 'order of the dimensions of pictures').choices([
        'nchw',
        'nhwc',
      ]),
    )
    .addOption(
      new Option(
        '--colors <order>',
        'colours of pictures (default: rgb; gray of one channel)',
      ).choices(['rgb', 'bgr', 'gray']),
    )
    .option(
      '--range <value>',
      'value of full brightness, before --mean and --std (default: 1; 255 of whole numbers)',
      parser(parsePositive),
    )
    .option('--mean <values>', 'taken off the channels of pictures', parser(parseNumbers))
    .option('--std <values>', 'what they are divided by then', parser(parsePositives))
    .option(
      '--output <folder>',
      'write results as .npy into a folder, or as JSON to stdout with "-"',
    )
    .option(
      '--timeout <time>',
      'how long the run may take, such as 90s, 5m or 2h; cancelled then (default: 1h)',
      parser(parseDuration),
    )
    .option('--check <model>', 'compare the outputs with those of onnxruntime for this ONNX file')
    .option(
      '--tolerance <value>',
      'largest difference that counts as equal, relative to values above 1 (default: 0.001)',
      parser(parsePositive),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  canopy run mine --input x=image.npy --output results\n  canopy run mine --input ids=ids.json --input mask=mask.json --output -' +
        '\n  canopy run mine --input x=photo.jpg --resize 224x224 --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225',
    )
    .action(async (deployment: string, flags: RunFlags) => {
      const { runCommand } = await import('../commands/run.js');
      await runCommand(deployment, flags, output());
    });

  program
    .command('list')
    .description('list the deployments made in this folder')
    .action(async () => {
      const { listCommand } = await import('../commands/list.js');
      await listCommand(output());
    });

  withConnection(program.command('status'))
    .argument('[deployment]', deploymentArgument)
    .description(
      'show the health of a deployment, exit code 1 where it is not well; without one, what "list" shows',
    )
    .action(async (name: string | undefined, flags: ConnectFlags) => {
      if (name === undefined) {
        const { listCommand } = await import('../commands/list.js');
        await listCommand(output());
        return;
      }
      const { statusCommand } = await import('../commands/status.js');
      await statusCommand(name, flags, output());
    });

  withConnection(program.command('top'))
    .argument('<deployment>', deploymentArgument)
    .description('show what the canisters of a deployment do, live, until Ctrl-C')
    .option('--once', 'print one frame, with rates since a moment before, and end')
    .option(
      '--every <time>',
      'time between frames, such as 2s or 1m (default: 2s)',
      parser(parseDuration),
    )
    .action(async (name: string, flags: TopFlags) => {
      const { topCommand } = await import('../commands/top.js');
      await topCommand(name, flags, output());
    });

  withConnection(program.command('metrics'))
    .argument(
      '[deployments...]',
      'their names, or the paths of their manifests (default: all here)',
    )
    .description('serve figures of deployments for Prometheus to scrape, at /metrics')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option(
      '--port <number>',
      'port to listen on; 0: any free one',
      parser<number>((text) => parseCount(text, 0)),
      9464,
    )
    .option('--once', 'print them once, and end')
    .action(async (names: string[], flags: MetricsFlags) => {
      const { metricsCommand } = await import('../commands/metrics.js');
      await metricsCommand(names, flags, output());
    });

  withConnection(program.command('top-up'))
    .argument('<deployment>', deploymentArgument)
    .description('send the canisters of a deployment cycles from your account at the cycles ledger')
    .option('--cycles <amount>', 'for each canister, such as 2T or 500B', parser(parseCycles))
    .option(
      '--days <count>',
      'as much as each canister lacks to last so many days without a request',
      parser<number>((text) => parseCount(text)),
    )
    .option('--canister <id>', 'only this one')
    .action(async (name: string, flags: TopUpFlags) => {
      const { topUpCommand } = await import('../commands/top-up.js');
      await topUpCommand(name, flags, output());
    });

  withPlanOptions(withConnection(program.command('verify')))
    .argument('<deployment>', deploymentArgument)
    .argument('[model]', 'ONNX file to compare the weights with; planned with the same options')
    .description('compare modules, plan and weights on the canisters with local files')
    .action(async (name: string, model: string | undefined, flags: ConnectFlags & PlanFlags) => {
      const { verifyCommand } = await import('../commands/verify.js');
      await verifyCommand(name, model, flags, output());
    });

  withConnection(program.command('models'))
    .argument('<deployment>', deploymentArgument)
    .description('list the models that the coordinator of a deployment knows')
    .action(async (name: string, flags: ConnectFlags) => {
      const { modelsCommand } = await import('../commands/models.js');
      await modelsCommand(name, flags, output());
    });

  withConnection(program.command('logs'))
    .argument('<deployment>', deploymentArgument)
    .description('show what the canisters of a deployment printed, and why they trapped')
    .action(async (name: string, flags: ConnectFlags) => {
      const { logsCommand } = await import('../commands/logs.js');
      await logsCommand(name, flags, output());
    });

  withConnection(program.command('upgrade'))
    .argument('<deployment>', deploymentArgument)
    .description('give a deployment the canisters of this release; requests under way go on')
    .option('--no-snapshots', 'take no snapshots before, to which --rollback goes back')
    .option(
      '--rollback',
      'go back to what was before the last upgrade; requests made since are lost',
    )
    .action(async (name: string, flags: UpgradeFlags) => {
      const { upgradeCommand } = await import('../commands/upgrade.js');
      await upgradeCommand(name, flags, output());
    });

  withConnection(program.command('destroy'))
    .alias('remove')
    .argument('<deployment>', deploymentArgument)
    .description('delete the canisters of a deployment and its manifest; their cycles come back')
    .option('--yes', 'do not ask')
    .action(async (name: string, flags: RemoveFlags) => {
      const { removeCommand } = await import('../commands/remove.js');
      await removeCommand(name, flags, output());
    });
}
