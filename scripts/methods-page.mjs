/** Writes docs/methods.md from the tables of `@canopy/protocol`: `node scripts/methods-page.mjs` */
import { writeFileSync } from 'node:fs';
import {
  coordinatorMethods,
  coordinatorNotes,
  maxListedCallers,
  workerMethods,
  workerNotes,
} from '@canopy/protocol';
import { format, resolveConfig } from 'prettier';
import { root } from './workspace.mjs';

export const methodsPagePath = `${root}docs/methods.md`;

const whoMayCallCoordinator = {
  stranger: 'everybody',
  caller: 'callers',
  operator: 'operators',
  owner: 'owners',
  itself: 'the coordinator itself',
};
const whoMayCallWorker = {
  coordinator: 'its coordinator, its controllers',
  worker: 'a worker of the same pipeline',
  self: 'the worker itself',
};

function bytesText(bytes) {
  if (bytes === 'chunk') return 'a chunk and 36 bytes';
  if (bytes === 0) return 'none';
  return bytes % 1024 === 0 ? `${bytes / 1024} KiB` : `${bytes} bytes`;
}

function table(head, rows) {
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

/** The page as it should be. */
export async function methodsPage() {
  const ofCoordinator = Object.entries(coordinatorMethods).map(([name, method]) => [
    `\`${name}\``,
    method.kind.replace('_', ' '),
    whoMayCallCoordinator[method.role],
    bytesText(method.argumentBytes),
    coordinatorNotes[name],
  ]);
  const ofWorker = Object.entries(workerMethods).map(([name, method]) => [
    `\`${name}\``,
    method.kind,
    whoMayCallWorker[method.caller],
    method.caller === 'coordinator' ? bytesText(method.argumentBytes) : 'not taken from outside',
    workerNotes[name],
  ]);
  const page = `# Methods

Every method of every canister, and who may call it. The page is written from the tables in
[\`methods.ts\`](../protocol/src/methods.ts), by which the canisters check their callers too:
\`node scripts/methods-page.mjs\`. Tests call each method as everybody
(\`coordinator/src/methods.test.ts\`, \`worker/src/methods.test.ts\`).

## Roles

A coordinator knows four roles; each may do what those before it may.

- A **stranger** may ask what it may do, and have what it holds.
- A **caller** runs models. Every principal is one, or those that are listed (${maxListedCallers.toLocaleString('en')} at most). The anonymous
  principal is one only where the owners allow it; \`canopy deploy\` does on a local network. Callers may have
  quotas, requests and instructions a day (UTC). A request counts with the instructions that were predicted
  for it until it is known what it took; what reached no worker is not counted.
- An **operator** registers models and sees plans, the log and sums.
- An **owner** says who has which role. The controllers of the canister are owners always.

\`set_access\` takes all of it at once; what is wrong changes nothing. The anonymous principal can be no owner
and no operator of the list.

Nobody can tell anonymous callers apart, so they share quotas and limits, and nothing else: a ticket of theirs
holds 128 random bits, the log shows them nothing, and a number of a request must be random.

What a caller can hold is limited for each: where tickets (1,024), numbers (4,096), kept answers (4 MiB) or entries
of the log (256) are more than that, the oldest of the caller who has most go; at most 240 requests of a
caller are on their way to workers, and the workers limit what waits and is kept for each caller.

## Messages that are not taken

A canister pays for a message from outside before it answers, 2,000 cycles a byte. So both canisters look at
each first (\`canister_inspect_message\`), which costs them nothing, and refuse what would come to nothing: unknown
methods, callers without the role, arguments that are too long or no Candid, unknown models, wrong inputs, unknown tickets, used
up quotas. The replica then only says "Canister rejected the message"; \`why_refused\` of the coordinator says why, and
the client asks it. Calls of canisters are not looked at so; the methods check the same themselves.

## Coordinator

${table(['method', 'kind', 'for', 'longest argument', 'what it does'], ofCoordinator)}

Candid, and what the answers hold: [\`coordinator.did\`](../coordinator/coordinator.did). The module has further exports of
azle, which serve itself; none is taken from outside but queries of its controllers.

## Worker

${table(['method', 'kind', 'for', 'longest argument from outside', 'what it does'], ofWorker)}

Arguments and answers: [\`worker-messages.ts\`](../protocol/src/worker-messages.ts). A worker without a configuration answers
\`not-configured\` to all who are not its controllers.
`;
  return format(page, { ...(await resolveConfig(methodsPagePath)), parser: 'markdown' });
}

if (process.argv[1]?.endsWith('methods-page.mjs')) {
  writeFileSync(methodsPagePath, await methodsPage());
}
