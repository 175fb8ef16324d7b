import { expect, test } from 'vitest';

test('the table of settings in the README is what the services declare (npm run settings -- --write)', async () => {
  const module = './settings-table.mjs';
  const { settingsTable, tableInReadme } = (await import(module)) as { settingsTable(): Promise<string>; tableInReadme(): string };
  expect(tableInReadme()).toBe(await settingsTable());
});
