/** Log lines for a person at a terminal: what happened, in a sentence; the facts only where something is wrong. Pure: JSON line in, text out. */
export interface PrettyOptions {
  readonly color: boolean;
}

/** Errors that are a person's to mend: their message says how, and a stack would only hide it. */
const EXPECTED_ERRORS = new Set(['ConfigError', 'FolderInUse', 'PortUnusable', 'SigningKeyError', 'SiteNotBuilt']);
/** Of our own part these lines are for everybody; the others' names say who speaks. */
const OWN_PART = 'standalone';
const HIDDEN_FIELDS = new Set(['level', 'time', 'service', 'msg', 'err', 'gateway', 'worker']);
const FIELDS_LENGTH_MAX = 160;

export function prettyLine(json: string, { color }: PrettyOptions): string {
  const line = parse(json);
  if (line === undefined) return json;
  const paint = (code: number, text: string) => (color ? `\u001b[${code}m${text}\u001b[0m` : text);
  const level = textOf(line['level']);
  const part = textOf(line['service']);
  const words = `${part === OWN_PART ? '' : `${part}: `}${textOf(line['msg'])}`;
  switch (level) {
    case 'fatal':
    case 'error':
      return `${paint(31, '✗')} ${errorWords(words, line)}\n`;
    case 'warn':
      return `${paint(33, '!')} ${words}${fieldWords(line)}\n`;
    default:
      return `${paint(36, '·')} ${words}${part === OWN_PART ? '' : paint(2, fieldWords(line))}\n`;
  }
}

function errorWords(words: string, line: Fields): string {
  const err = line['err'];
  if (typeof err !== 'object' || err === null) return words + fieldWords(line);
  const { type, message, stack } = err as { type?: unknown; message?: unknown; stack?: unknown };
  if (EXPECTED_ERRORS.has(textOf(type))) return textOf(message);
  return `${words}: ${textOf(stack ?? message)}`;
}

type Fields = Readonly<Record<string, unknown>>;

function fieldWords(line: Fields): string {
  const { err } = line as { err?: { message?: unknown } };
  const shown = Object.entries(line).filter(([name]) => !HIDDEN_FIELDS.has(name));
  const facts = shown.map(([name, value]) => `${name}=${textOf(value)}`);
  if (err?.message !== undefined) facts.unshift(textOf(err.message));
  const text = facts.join(' ').slice(0, FIELDS_LENGTH_MAX);
  return text === '' ? '' : ` (${text})`;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

function parse(json: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? (value as Fields) : undefined;
  } catch {
    // Not one of our lines: it is shown as it is.
    return undefined;
  }
}
