/**
 * JSON with the integers of 64 and 128 bits that the REST interface carries, and with the error
 * texts of its servers: what is wrong, in which line and column.
 */

export type Json = null | boolean | number | bigint | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json | undefined;
}

/** A parsed value with the place where it ends. */
export interface JsonNode {
  readonly kind: 'null' | 'boolean' | 'integer' | 'float' | 'string' | 'array' | 'object';
  readonly value: null | boolean | number | bigint | string | JsonNode[] | Map<string, JsonNode>;
  readonly line: number;
  readonly column: number;
}

/** Text that is not JSON. */
export class JsonSyntaxError extends Error {}

/** Writes a value; bigints as plain integers. */
export function stringifyJson(value: Json): string {
  return JSON.stringify(value, (_, item: unknown) =>
    typeof item === 'bigint' ? `\u0000${item}\u0000` : item,
  ).replace(/"\\u0000(-?\d+)\\u0000"/g, '$1');
}

/** Parses a text. Throws JsonSyntaxError. */
export function parseJson(text: string): JsonNode {
  return new Parser(text).document();
}

class Parser {
  #at = 0;
  #line = 1;
  #column = 0;

  constructor(private readonly text: string) {}

  document(): JsonNode {
    this.#space();
    const value = this.#value();
    this.#space();
    if (this.#peek() !== undefined) throw this.#unexpected('trailing characters');
    return value;
  }

  #peek(): string | undefined {
    return this.text[this.#at];
  }

  #next(): string | undefined {
    const letter = this.text[this.#at];
    if (letter === undefined) return undefined;
    this.#at++;
    if (letter === '\n') {
      this.#line++;
      this.#column = 0;
    } else {
      this.#column++;
    }
    return letter;
  }

  #space(): void {
    while (/^[ \t\r\n]$/.test(this.#peek() ?? '')) this.#next();
  }

  /** An error at the letter that was read last. */
  #error(what: string): JsonSyntaxError {
    return new JsonSyntaxError(`${what} at line ${this.#line} column ${this.#column}`);
  }

  /** An error at the letter that comes next. */
  #unexpected(what: string): JsonSyntaxError {
    this.#next();
    return this.#error(what);
  }

  #node(kind: JsonNode['kind'], value: JsonNode['value']): JsonNode {
    return { kind, value, line: this.#line, column: this.#column };
  }

  #value(): JsonNode {
    const first = this.#peek();
    if (first === undefined) throw this.#error('EOF while parsing a value');
    if (first === '{') return this.#object();
    if (first === '[') return this.#array();
    if (first === '"') {
      const value = this.#string();
      return this.#node('string', value);
    }
    if (first === '-' || /^\d$/.test(first)) return this.#number();
    if (first === 't') return this.#word('true', 'boolean', true);
    if (first === 'f') return this.#word('false', 'boolean', false);
    if (first === 'n') return this.#word('null', 'null', null);
    throw this.#unexpected('expected value');
  }

  #word(word: string, kind: JsonNode['kind'], value: boolean | null): JsonNode {
    for (const letter of word) {
      if (this.#peek() === undefined) throw this.#error('EOF while parsing a value');
      if (this.#next() !== letter) throw this.#error('expected ident');
    }
    return this.#node(kind, value);
  }

  #number(): JsonNode {
    const match = /^-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/.exec(this.text.slice(this.#at));
    if (match === null) throw this.#unexpected('invalid number');
    for (let left = match[0].length; left > 0; left--) this.#next();
    if (match[1] !== undefined || match[2] !== undefined) {
      return this.#node('float', Number(match[0]));
    }
    return this.#node('integer', BigInt(match[0]));
  }

  #string(): string {
    const start = this.#at;
    this.#next();
    for (;;) {
      const letter = this.#next();
      if (letter === undefined) throw this.#error('EOF while parsing a string');
      if (letter === '\\') this.#next();
      if (letter === '"') break;
      if (letter < ' ') {
        throw this.#error('control character (\\u0000-\\u001F) found while parsing a string');
      }
    }
    try {
      return JSON.parse(this.text.slice(start, this.#at)) as string;
    } catch {
      throw this.#error('invalid escape');
    }
  }

  #array(): JsonNode {
    const items: JsonNode[] = [];
    this.#next();
    this.#space();
    if (this.#peek() === ']') {
      this.#next();
      return this.#node('array', items);
    }
    for (;;) {
      this.#space();
      if (this.#peek() === undefined) throw this.#error('EOF while parsing a list');
      items.push(this.#value());
      this.#space();
      const separator = this.#next();
      if (separator === undefined) throw this.#error('EOF while parsing a list');
      if (separator === ']') return this.#node('array', items);
      if (separator !== ',') throw this.#error('expected `,` or `]`');
    }
  }

  #object(): JsonNode {
    const fields = new Map<string, JsonNode>();
    this.#next();
    this.#space();
    if (this.#peek() === '}') {
      this.#next();
      return this.#node('object', fields);
    }
    for (;;) {
      this.#space();
      const quote = this.#peek();
      if (quote === undefined) throw this.#error('EOF while parsing an object');
      if (quote !== '"') throw this.#unexpected('key must be a string');
      const name = this.#string();
      this.#space();
      const colon = this.#next();
      if (colon === undefined) throw this.#error('EOF while parsing an object');
      if (colon !== ':') throw this.#error('expected `:`');
      this.#space();
      fields.set(name, this.#value());
      this.#space();
      const separator = this.#next();
      if (separator === undefined) throw this.#error('EOF while parsing an object');
      if (separator === '}') return this.#node('object', fields);
      if (separator !== ',') throw this.#error('expected `,` or `}`');
    }
  }
}
