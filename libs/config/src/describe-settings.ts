import type { Settings } from './read-config.ts';
import type { Setting } from './setting.ts';

/** One row of the README's table of settings. */
export interface SettingRow {
  readonly name: string;
  readonly kind: string;
  /** As the variable would spell it; `required`, or `` for an optional one. */
  readonly default: string;
  readonly say: string;
}

export function describeSettings(settings: Settings): SettingRow[] {
  return Object.values(settings).map((setting) => ({
    name: setting.fromFile ? `${setting.name} or ${setting.name}_FILE` : setting.name,
    kind: setting.kind,
    default: defaultText(setting),
    say: setting.say,
  }));
}

function defaultText(setting: Setting<unknown>): string {
  switch (setting.fallback.mode) {
    case 'required':
      return 'required';
    case 'optional':
      return '';
    case 'default':
      return setting.format(setting.fallback.value);
  }
}
