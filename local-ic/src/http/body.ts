import { parseJson, JsonSyntaxError, stringifyJson, type JsonNode } from './json.js';

/** A request that is refused before it is executed: status and text of the answer. */
export class HttpError extends Error {
  constructor(
    readonly status: number,
    message: string,
    /** Answer as JSON `{"message": …}` instead of text. */
    readonly json = false,
  ) {
    super(message);
    this.name = 'HttpError';
  }
}

/** A value of the right JSON type that cannot stand for what it should. */
export function conversionError(reason: string): HttpError {
  return new HttpError(400, `ConversionError { message: ${JSON.stringify(reason)} }`, true);
}

/** Longest principal. */
export const MAX_PRINCIPAL_BYTES = 29;

/** Bytes that stand for a principal. Throws HttpError with the reason when they are too many. */
export function principalOf(bytes: Uint8Array, reason: string): Uint8Array {
  if (bytes.length > MAX_PRINCIPAL_BYTES) throw conversionError(reason);
  return bytes;
}

/** Parses a body. Throws HttpError: 400 for text that is no JSON. */
export function parseBody(bytes: Uint8Array): BodyReader {
  try {
    return new BodyReader(parseJson(Buffer.from(bytes).toString('utf8')), '');
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    throw new HttpError(400, `Failed to parse the request body as JSON: ${error.message}`);
  }
}

/** Reads the fields of a JSON body. What is missing or of another type throws HttpError 422. */
export class BodyReader {
  constructor(
    readonly node: JsonNode,
    private readonly path: string,
  ) {}

  /** A field that must be there. */
  field(name: string): BodyReader {
    const found = this.#fields().get(name);
    if (found === undefined) throw this.#error(`missing field \`${name}\``);
    return new BodyReader(found, this.#inner(name));
  }

  /** A field that may be missing or null. */
  optional(name: string): BodyReader | undefined {
    const found = this.#fields().get(name);
    if (found === undefined || found.kind === 'null') return undefined;
    return new BodyReader(found, this.#inner(name));
  }

  string(): string {
    if (this.node.kind !== 'string') throw this.#mismatch('a string');
    return this.node.value as string;
  }

  boolean(): boolean {
    if (this.node.kind !== 'boolean') throw this.#mismatch('a boolean');
    return this.node.value as boolean;
  }

  integer(type: 'u16' | 'u32' | 'u64' | 'u128' = 'u64'): bigint {
    const value = this.node.value;
    if (type === 'u128') return this.#wide();
    if (this.node.kind !== 'integer' || typeof value !== 'bigint') throw this.#mismatch(type);
    if (value < 0n || value >= 1n << BigInt(type.slice(1))) {
      throw this.#error(`invalid value: integer \`${value}\`, expected ${type}`);
    }
    return value;
  }

  /** What is no number of 128 bits is no JSON to the servers' reader. */
  #wide(): bigint {
    const { kind, value, line, column } = this.node;
    if (kind === 'integer' && typeof value === 'bigint' && value >= 0n && value < 1n << 128n) {
      return value;
    }
    const reason = kind === 'integer' ? 'number out of range' : 'invalid number';
    throw new HttpError(
      400,
      `Failed to parse the request body as JSON: ${this.path}: ${reason} at line ${line} column ${column}`,
    );
  }

  /** Bytes in base64. */
  bytes(): Uint8Array {
    const text = this.string();
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) {
      throw this.#error('Invalid base64: not padded groups of four letters');
    }
    return new Uint8Array(Buffer.from(text, 'base64'));
  }

  items(): BodyReader[] {
    if (this.node.kind !== 'array') throw this.#mismatch('a sequence');
    return (this.node.value as JsonNode[]).map(
      (item, index) => new BodyReader(item, `${this.path}[${index}]`),
    );
  }

  /** The one field of an object, or the text, that stands for one of the given variants. */
  oneOf<const Tag extends string>(...tags: Tag[]): { tag: Tag; body: BodyReader | undefined } {
    const { tag, body } = this.variant();
    const known = tags.find((candidate) => candidate === tag);
    if (known !== undefined) return { tag: known, body };
    const list = tags.map((name) => `\`${name}\``);
    const expected =
      list.length > 2
        ? `one of ${list.join(', ')}`
        : list.length === 2
          ? list.join(' or ')
          : list[0]!;
    throw this.#error(`unknown variant \`${tag}\`, expected ${expected}`);
  }

  /** The one field of an object that stands for a variant. */
  variant(): { tag: string; body: BodyReader | undefined } {
    if (this.node.kind === 'string') return { tag: this.string(), body: undefined };
    const [entry] = this.#fields();
    if (entry === undefined) throw this.#mismatch('a variant');
    return { tag: entry[0], body: new BodyReader(entry[1], this.#inner(entry[0])) };
  }

  /** An error about this value. */
  invalid(text: string): HttpError {
    return this.#error(text);
  }

  #fields(): Map<string, JsonNode> {
    if (this.node.kind !== 'object') throw this.#mismatch('a map');
    return this.node.value as Map<string, JsonNode>;
  }

  #inner(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`;
  }

  #mismatch(expected: string): HttpError {
    return this.#error(`invalid type: ${describe(this.node)}, expected ${expected}`);
  }

  #error(text: string): HttpError {
    const { line, column } = this.node;
    const path = this.path === '' ? '' : `${this.path}: `;
    return new HttpError(
      422,
      `Failed to deserialize the JSON body into the target type: ${path}${text} at line ${line} column ${column}`,
    );
  }
}

function describe(node: JsonNode): string {
  switch (node.kind) {
    case 'null':
      return 'null';
    case 'boolean':
    case 'integer':
    case 'float': {
      const name = node.kind === 'float' ? 'floating point' : node.kind;
      return `${name} \`${stringifyJson(node.value as boolean | number | bigint)}\``;
    }
    case 'string':
      return `string ${JSON.stringify(node.value)}`;
    case 'array':
      return 'sequence';
    case 'object':
      return 'map';
  }
}
