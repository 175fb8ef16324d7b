import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ConfigError } from './config-error.ts';
import type { Setting } from './setting.ts';

export type Settings = Readonly<Record<string, Setting<unknown>>>;
export type Config<S extends Settings> = { readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never };
export type Environment = Readonly<Record<string, string | undefined>>;

const SHOWN_CHARACTERS_MAX = 80;

/** Throws `ConfigError` at the first setting that is missing or wrong, in the order of `settings`. */
export function readConfig<S extends Settings>(settings: S, env: Environment): Config<S> {
  assertNamedOnce(settings);
  return Object.fromEntries(Object.entries(settings).map(([key, one]) => [key, readSetting(one, env)])) as Config<S>;
}

function readSetting<T>(setting: Setting<T>, env: Environment): T | undefined {
  const given = givenText(setting, env);
  if (given === undefined) return fallback(setting);
  const value = setting.parse(given.text);
  if (value === undefined) throw new ConfigError(given.variable, `${shown(setting.redact(given.text))} was given`, setting.expected);
  return value;
}

function fallback<T>(setting: Setting<T>): T | undefined {
  switch (setting.fallback.mode) {
    case 'required':
      throw new ConfigError(setting.name, 'nothing was given', `${setting.expected} (${setting.say})`);
    case 'optional':
      return undefined;
    case 'default':
      // A default takes the way of a given text where that changes it (a relative path becomes absolute).
      return setting.kind === 'path' ? setting.parse(setting.format(setting.fallback.value)) : setting.fallback.value;
  }
}

function givenText(setting: Setting<unknown>, env: Environment): { variable: string; text: string } | undefined {
  const text = nonEmpty(env[setting.name]);
  const fileVariable = `${setting.name}_FILE`;
  const file = setting.fromFile ? nonEmpty(env[fileVariable]) : undefined;
  if (text !== undefined && file !== undefined) {
    throw new ConfigError(setting.name, `both ${setting.name} and ${fileVariable} were given`, 'only one of them');
  }
  if (file !== undefined) return { variable: fileVariable, text: readSecretFile(fileVariable, file) };
  return text === undefined ? undefined : { variable: setting.name, text };
}

function readSecretFile(variable: string, file: string): string {
  let text: string;
  try {
    text = readFileSync(resolve(file), 'utf8');
  } catch (cause) {
    throw new ConfigError(variable, `${shown(file)} was given (${codeOf(cause)})`, 'a file that can be read');
  }
  const content = text.replace(/\r?\n$/, '');
  if (content === '') throw new ConfigError(variable, `${shown(file)} was given, which is empty`, 'a file that holds the value');
  return content;
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : text;
}

function shown(text: string): string {
  const cut = text.length > SHOWN_CHARACTERS_MAX ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}…` : text;
  return JSON.stringify(cut);
}

function assertNamedOnce(settings: Settings): void {
  const seen = new Set<string>();
  for (const { name } of Object.values(settings)) {
    if (seen.has(name)) throw new Error(`two settings are named ${name}`);
    seen.add(name);
  }
}
