import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer, type RunningServer } from './server.js';

interface Step {
  readonly what: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers?: Record<string, string>;
    readonly body?: string;
  };
  readonly response: {
    readonly status: number;
    readonly contentType: string | null;
    readonly text: string;
  };
}

const { steps } = JSON.parse(
  readFileSync(new URL('../../fixtures/golden/rest/refusals.json', import.meta.url), 'utf8'),
) as { steps: Step[] };

const INSTANCE = {
  subnet_config_set: { application: [{ state_config: 'New', instruction_config: 'Production' }] },
};

let server: RunningServer;
let instance: number;
beforeAll(async () => {
  server = await startServer();
  const created = await send('POST', '/instances', JSON.stringify(INSTANCE));
  ({ instance_id: instance } = (JSON.parse(await created.text()) as { Created: never }).Created);
});
afterAll(() => server.stop());

function send(
  method: string,
  path: string,
  body?: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${server.url}${path}`, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body }),
  });
}

/** What both servers say word for word; texts of the JSON reader agree in their beginning only. */
function comparable(text: string): string {
  const reader =
    /^Failed to (deserialize the JSON body into the target type|parse the request body as JSON): /;
  const matched = reader.exec(text);
  if (matched) return matched[0];
  if (text.startsWith('{"Created"')) return '{"Created"';
  return text.split('\\\\n\\\\nStack backtrace')[0]!.replace(/\)\\"\)"\}$/, '');
}

describe('requests at the edges of the REST interface', () => {
  it.each(steps.map((step) => [step.what, step] as const))('%s', async (_, step) => {
    const { method, path, headers, body } = step.request;
    const place = path.replace('/instances/N/', `/instances/${instance}/`);
    const response = await send(method, place, body, headers);
    const text = await response.text();
    expect({ status: response.status, text: comparable(text) }).toEqual({
      status: step.response.status,
      text: comparable(step.response.text),
    });
    expect(response.headers.get('content-type')).toBe(step.response.contentType);
  });
});

describe('the initial time', () => {
  const create = (nanos: number): Promise<Response> =>
    send(
      'POST',
      '/instances',
      JSON.stringify({
        ...INSTANCE,
        initial_time: { Timestamp: { nanos_since_epoch: nanos } },
      }),
    );

  it('is one nanosecond past when an instance is handed out', async () => {
    const created = await create(1_704_067_200_000_000_000);
    const { Created } = (await created.json()) as { Created: { instance_id: number } };
    const time = await send('GET', `/instances/${Created.instance_id}/read/get_time`);
    expect(await time.text()).toBe('{"nanos_since_epoch":1704067200000000001}');
  });

  it('is not before the beginning of the network', async () => {
    const refused = await create(5);
    expect(refused.status).toBe(400);
    expect(await refused.text()).toContain(
      'must be no earlier than 1620328630000000000 (provided 5).',
    );
  });
});
