import { BenchIcError, reasonOf } from './errors.js';

/** What the server says when it has begun, or is busy with something else. */
interface Busy {
  state_label: string;
  op_id: string;
}

/** Milliseconds between two questions to a busy server. */
const pollMs = 10;

/** An instance on a PocketIC server, by the server's REST interface. */
export class PocketIcRest {
  private constructor(
    private readonly server: string,
    private readonly instance: string,
  ) {}

  /** Makes an instance with one application subnet. Throws {@link BenchIcError}. */
  static async create(server: string): Promise<PocketIcRest> {
    const body = {
      subnet_config_set: {
        system: [],
        application: [{ state_config: 'New', instruction_config: 'Production' }],
        verified_application: [],
        cloud_engine: [],
      },
    };
    const created = await request(server, '/instances', JSON.stringify(body)).catch(
      (error: unknown) => {
        throw error instanceof BenchIcError && error.code === 'refused'
          ? new BenchIcError('not-pocket-ic', `${server} is no PocketIC server: ${error.message}`)
          : error;
      },
    );
    const id = /"Created".*?"instance_id":\s*(\d+)/.exec(created)?.[1];
    if (id === undefined) {
      throw new BenchIcError(
        'not-pocket-ic',
        `${server} made no PocketIC instance: ${firstCharacters(created)}`,
      );
    }
    return new PocketIcRest(server, `/instances/${id}`);
  }

  /** Sends JSON to an operation such as `update/tick`; gives the JSON it answers. */
  post(operation: string, body: string): Promise<string> {
    return request(this.server, `${this.instance}/${operation}`, body);
  }

  /** A whole number, of any size, out of what an operation answers. */
  async number(operation: string, field: string, body?: string): Promise<bigint> {
    const text = await request(this.server, `${this.instance}/${operation}`, body);
    const found = new RegExp(`"${field}":\\s*(\\d+)`).exec(text)?.[1];
    if (found === undefined) {
      throw new BenchIcError('refused', `${operation} gives no ${field}: ${firstCharacters(text)}`);
    }
    return BigInt(found);
  }

  async delete(): Promise<void> {
    await fetch(`${this.server}${this.instance}`, { method: 'DELETE' });
  }
}

/** POST where there is a body, else GET. Waits where the server is busy. */
async function request(server: string, path: string, body?: string): Promise<string> {
  for (;;) {
    const { status, text } = await exchange(server, path, body);
    const busy = status === 202 || status === 409 ? readBusy(text) : undefined;
    if (status === 202 && busy) return operation(server, busy);
    if (busy) {
      await new Promise((wake) => setTimeout(wake, pollMs));
      continue;
    }
    if (status >= 200 && status < 300) return text;
    const reason = text === '' ? '' : `: ${firstCharacters(text)}`;
    throw new BenchIcError('refused', `it answers ${status} to ${path}${reason}`);
  }
}

/** Waits for an operation that the server goes on with by itself. */
async function operation(server: string, { state_label, op_id }: Busy): Promise<string> {
  for (;;) {
    const { status, text } = await exchange(server, `/read_graph/${state_label}/${op_id}`);
    if (status === 200 && readBusy(text) === undefined) return text;
    await new Promise((wake) => setTimeout(wake, pollMs));
  }
}

async function exchange(
  server: string,
  path: string,
  body?: string,
): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(`${server}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { 'content-type': 'application/json' },
      redirect: 'manual',
      ...(body !== undefined && { body }),
    });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    throw new BenchIcError(
      'unreachable',
      `no PocketIC server answers at ${server}: ${reasonOf(error)}`,
      { cause: error },
    );
  }
}

function readBusy(text: string): Busy | undefined {
  try {
    const value = JSON.parse(text) as Partial<Busy> | null;
    return typeof value?.state_label === 'string' ? (value as Busy) : undefined;
  } catch {
    return undefined;
  }
}

function firstCharacters(text: string): string {
  const line = text.split('\n', 1)[0]!;
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}
