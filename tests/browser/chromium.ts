import { needProgram } from '@weft/testkit';
import { type Browser, chromium } from 'playwright-core';

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The system's Chromium, headless; installed where that can be done. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: needProgram('chromium', 'chromium'), args: flags });
}
