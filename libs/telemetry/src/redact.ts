/** Keys whose values never reach a log, compared in lower case. */
const SECRET_KEYS = new Set([
  'token',
  'accesstoken',
  'refreshtoken',
  'idtoken',
  'jwt',
  'grant',
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'password',
  'passwd',
  'secret',
  'privatekey',
  'apikey',
  'x-api-key',
]);

/** Keys whose values are parts of documents (architecture.md: content is never logged), whatever their type. */
const CONTENT_KEYS = new Set(['update', 'updates', 'snapshot', 'content', 'awareness', 'states']);

/** Of an error's own fields. */
const SHOWN_ALREADY = new Set(['name', 'message', 'stack', 'cause', 'errors']);

const DEPTH_MAX = 5;
const ENTRIES_MAX = 50;

/** `?token=…`, and user:password@ of a URL. */
const QUERY_SECRET = /([?&](?:token|access_token|refresh_token|key|session|password)=)[^&\s"]+/gi;
const URL_CREDENTIALS = /(\b[a-z][a-z0-9+.-]*:\/\/)[^/\s"@]+@/gi;

/** A copy of `value` fit for a log line. Errors pass unchanged at the top: pino's serializer and `redactError` see to them. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value !== 'object' || value === null) return typeof value === 'bigint' ? String(value) : value;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
  if (value instanceof Error) return redactError(value, depth);
  if (value instanceof Date) return value;
  if (depth >= DEPTH_MAX) return '[deep]';
  if (Array.isArray(value)) return redactArray(value, depth);
  if (value instanceof Map) return redactFields(Object.fromEntries(value), depth);
  if (value instanceof Set) return redactArray([...value], depth);
  return redactFields(value as Record<string, unknown>, depth);
}

/** Name, message, stack, cause and the error's own fields. */
export function redactError(error: Error, depth = 0): unknown {
  if (depth >= DEPTH_MAX) return redactText(error.message);
  return {
    type: error.name,
    message: redactText(error.message),
    stack: redactText(error.stack ?? ''),
    ...(error.cause === undefined ? {} : { cause: redact(error.cause, depth + 1) }),
    ...(error instanceof AggregateError ? { errors: redactArray(error.errors, depth) } : {}),
    ...redactFields(Object.fromEntries(Object.entries(error).filter(([key]) => !SHOWN_ALREADY.has(key))), depth),
  };
}

function redactArray(values: readonly unknown[], depth: number): unknown[] {
  const shown = values.slice(0, ENTRIES_MAX).map((value) => redact(value, depth + 1));
  return values.length > ENTRIES_MAX ? [...shown, `[${values.length - ENTRIES_MAX} more]`] : shown;
}

function redactFields(fields: Record<string, unknown>, depth: number): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    shown[key] = redactField(key, value, depth);
  }
  return shown;
}

function redactField(key: string, value: unknown, depth: number): unknown {
  const name = key.toLowerCase();
  if (SECRET_KEYS.has(name)) return '[redacted]';
  if (CONTENT_KEYS.has(name) && typeof value !== 'number' && typeof value !== 'boolean') return sizeOf(value);
  return redact(value, depth + 1);
}

function sizeOf(value: unknown): string {
  if (typeof value === 'string') return `[${value.length} characters]`;
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  return Array.isArray(value) ? `[${value.length} items]` : '[content]';
}

function redactText(text: string): string {
  return text.replace(QUERY_SECRET, '$1[redacted]').replace(URL_CREDENTIALS, '$1[redacted]@');
}
