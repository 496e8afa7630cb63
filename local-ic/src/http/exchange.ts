import type { IncomingMessage, ServerResponse } from 'node:http';
import { HttpError } from './body.js';
import { stringifyJson, type Json } from './json.js';

/** Largest request body. */
const MAX_BODY_BYTES = 512 * 1024 * 1024;

/** One request and its answer. */
export interface Exchange {
  readonly method: string;
  /** Path without query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly request: IncomingMessage;
  body(): Promise<Uint8Array>;
}

/** What to answer. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

export function exchangeOf(request: IncomingMessage): Exchange {
  const url = new URL(request.url ?? '/', 'http://localhost');
  return {
    method: request.method ?? 'GET',
    path: decodeURI(url.pathname),
    query: url.searchParams,
    request,
    body: () => readBody(request),
  };
}

async function readBody(request: IncomingMessage): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MAX_BODY_BYTES)
      throw new HttpError(413, `body of more than ${MAX_BODY_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

export const cors = { 'access-control-allow-origin': '*' } as const;

export function json(
  value: Json,
  status = 200,
  headers: Readonly<Record<string, string>> = cors,
): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: stringifyJson(value),
  };
}

export function text(
  body: string,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8', ...headers }, body };
}

export const notFound: Answer = text('', 404);

/** The path is there, for another method. */
export const wrongMethod: Answer = { status: 405 };

/** Runs a handler and sends what it answers; HttpErrors too. */
export async function respond(
  response: ServerResponse,
  handler: () => Promise<Answer>,
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  let answer: Answer;
  try {
    answer = await handler();
  } catch (error) {
    answer = answerOf(error);
  }
  const body = answer.body ?? '';
  response.writeHead(answer.status, {
    ...answer.headers,
    ...more,
    'content-length': String(Buffer.byteLength(body)),
  });
  response.end(body);
}

function answerOf(error: unknown): Answer {
  if (error instanceof HttpError) {
    return error.json
      ? json({ message: error.message }, error.status)
      : text(error.message, error.status, cors);
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${message}\n`);
  return json({ message: `internal error: ${message.split('\n')[0]!}` }, 500);
}
