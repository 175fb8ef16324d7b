import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { formatBytes, formatDurationMs, parseBytes, parseDurationMs } from './units.ts';

/** One environment variable: how it is read and what it means. Made by `setting.*`. */
export interface Setting<T> {
  readonly name: string;
  /** Word for the table: `port`, `bytes`, … */
  readonly kind: string;
  /** One sentence for the table of settings. */
  readonly say: string;
  /** Completes "expected …" in an error. */
  readonly expected: string;
  /** The value when the variable is unset. */
  readonly fallback: Fallback<T>;
  /** `NAME_FILE` is accepted too. */
  readonly fromFile: boolean;
  /** undefined: the text is no such value. */
  readonly parse: (text: string) => T | undefined;
  /** The spelling the variable takes. */
  // Method syntax on purpose: a Setting<number> must be usable as a Setting<unknown>.
  format(value: T): string;
  /** What of a given text may be shown in an error. */
  readonly redact: (text: string) => string;
}

export type Fallback<T> = { readonly mode: 'required' } | { readonly mode: 'optional' } | { readonly mode: 'default'; readonly value: T };

interface Said {
  readonly say: string;
}
type Required = Said & { readonly default?: never; readonly optional?: false };
type Optional = Said & { readonly default?: never; readonly optional: true };
type Defaulted<T> = Said & { readonly default: T; readonly optional?: false };
type Options<T> = Required | Optional | Defaulted<T>;
type Result<T, O> = O extends { readonly optional: true } ? Setting<T | undefined> : Setting<T>;

interface Kind<T> {
  readonly kind: string;
  readonly expected: string;
  readonly parse: (text: string) => T | undefined;
  readonly format?: (value: T) => string;
  readonly redact?: (text: string) => string;
  readonly fromFile?: boolean;
}

interface Range {
  readonly min?: number;
  readonly max?: number;
}

function define<T, O extends Options<T>>(name: string, options: O, kind: Kind<T>): Result<T, O> {
  return {
    name,
    kind: kind.kind,
    say: options.say,
    expected: kind.expected,
    fallback: fallbackOf<T>(options),
    fromFile: kind.fromFile ?? false,
    parse: kind.parse,
    format: kind.format ?? String,
    redact: kind.redact ?? ((text) => text),
  };
}

function fallbackOf<T>(options: Options<T>): Fallback<T> {
  if (options.optional === true) return { mode: 'optional' };
  return options.default === undefined ? { mode: 'required' } : { mode: 'default', value: options.default };
}

function within(value: number | undefined, { min = 0, max = Number.MAX_SAFE_INTEGER }: Range): number | undefined {
  return value !== undefined && value >= min && value <= max ? value : undefined;
}

function between({ min = 0, max }: Range, say: (value: number) => string): string {
  return max === undefined ? `${say(min)} or more` : `${say(min)} to ${say(max)}`;
}

function parseInteger(text: string): number | undefined {
  return /^-?\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined;
}

function parseUrl(text: string, protocols: readonly string[] | undefined): string | undefined {
  if (!URL.canParse(text)) return undefined;
  return protocols === undefined || protocols.includes(new URL(text).protocol) ? text : undefined;
}

/** User name, password and query may be secret; host, port and path help to find the mistake. A text that is no URL may be all secret. */
function redactUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.host === '') return /[@?]/.test(text) ? '(redacted)' : text;
  if (url.username !== '') url.username = 'redacted';
  if (url.password !== '') url.password = 'redacted';
  if (url.search !== '') url.search = '?redacted';
  return url.href;
}

function expectUrl(protocols: readonly string[] | undefined): string {
  return protocols === undefined ? 'a URL' : `a URL beginning ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`;
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function redactUrlList(text: string): string {
  return splitList(text).map(redactUrl).join(',');
}

function isNetwork(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/');
  const bits = isIP(address) === 6 ? 128 : 32;
  return isIP(address) !== 0 && rest.length === 0 && (prefix === undefined || within(parseInteger(prefix), { max: bits }) !== undefined);
}

/** One function a kind. `{ say }` alone: required; `{ default }`: that value when unset; `{ optional: true }`: `undefined` when unset. */
export const setting = {
  string: <O extends Options<string> & { pattern?: RegExp; expected?: string }>(name: string, options: O) =>
    define<string, O>(name, options, {
      kind: 'string',
      expected: options.expected ?? (options.pattern === undefined ? 'a text' : `a text like ${options.pattern.source}`),
      parse: (text) => (options.pattern === undefined || options.pattern.test(text) ? text : undefined),
    }),

  /** `min` is 0 unless given. */
  integer: <O extends Options<number> & Range>(name: string, options: O) =>
    define<number, O>(name, options, {
      kind: 'integer',
      expected: `a whole number, ${between(options, String)}`,
      parse: (text) => within(parseInteger(text), options),
    }),

  /** 0 lets the system choose. */
  port: <O extends Options<number>>(name: string, options: O) =>
    define<number, O>(name, options, {
      kind: 'port',
      expected: 'a port, 0 to 65535',
      parse: (text) => within(parseInteger(text), { max: 65_535 }),
    }),

  bytes: <O extends Options<number> & Range>(name: string, options: O) =>
    define<number, O>(name, options, {
      kind: 'bytes',
      expected: `a size like 512KiB or 8MiB, ${between(options, formatBytes)}`,
      parse: (text) => within(parseBytes(text), options),
      format: formatBytes,
    }),

  durationMs: <O extends Options<number> & Range>(name: string, options: O) =>
    define<number, O>(name, options, {
      kind: 'duration',
      expected: `a duration like 500ms, 2s or 5m, ${between(options, formatDurationMs)}`,
      parse: (text) => within(parseDurationMs(text), options),
      format: formatDurationMs,
    }),

  boolean: <O extends Options<boolean>>(name: string, options: O) =>
    define<boolean, O>(name, options, {
      kind: 'boolean',
      expected: 'true or false',
      parse: (text) => (text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : undefined),
    }),

  oneOf: <const T extends string, O extends Options<NoInfer<T>>>(name: string, values: readonly T[], options: O) =>
    define<T, O>(name, options, {
      kind: values.join(' | '),
      expected: `one of ${values.join(', ')}`,
      parse: (text) => values.find((value) => value === text),
    }),

  /** `protocols` as in `URL.protocol`: `['nats:', 'tls:']`. The value is the text as given. */
  url: <O extends Options<string> & { protocols?: readonly string[] }>(name: string, options: O) =>
    define<string, O>(name, options, {
      kind: 'url',
      expected: expectUrl(options.protocols),
      parse: (text) => parseUrl(text, options.protocols),
      format: redactUrl,
      redact: redactUrl,
      fromFile: true,
    }),

  /** Several URLs with commas between them, at least one. */
  urls: <O extends Options<readonly string[]> & { protocols?: readonly string[] }>(name: string, options: O) =>
    define<readonly string[], O>(name, options, {
      kind: 'urls',
      expected: `${expectUrl(options.protocols)}, or several with commas between`,
      parse: (text) => {
        const parts = splitList(text);
        return parts.length > 0 && parts.every((part) => parseUrl(part, options.protocols) !== undefined) ? parts : undefined;
      },
      format: (values) => values.map(redactUrl).join(','),
      redact: redactUrlList,
      fromFile: true,
    }),

  /** Addresses and networks in CIDR, with commas between. */
  networks: <O extends Options<readonly string[]>>(name: string, options: O) =>
    define<readonly string[], O>(name, options, {
      kind: 'networks',
      expected: 'addresses or networks like 10.0.0.0/8, with commas between',
      parse: (text) => {
        const parts = splitList(text);
        return parts.every(isNetwork) ? parts : undefined;
      },
      format: (values) => values.join(','),
    }),

  /** A file or folder; the value is absolute, a relative one starts at the working folder. */
  path: <O extends Options<string>>(name: string, options: O) =>
    define<string, O>(name, options, {
      kind: 'path',
      expected: 'a path',
      parse: (text) => (text.includes('\0') ? undefined : resolve(text)),
    }),

  secret: <O extends Options<string> & { lengthMin?: number }>(name: string, options: O) =>
    define<string, O>(name, options, {
      kind: 'secret',
      expected: options.lengthMin === undefined ? 'a secret' : `a secret of ${options.lengthMin} characters or more`,
      parse: (text) => (text.length >= (options.lengthMin ?? 1) ? text : undefined),
      format: () => '(secret)',
      redact: () => '(redacted)',
      fromFile: true,
    }),
};
