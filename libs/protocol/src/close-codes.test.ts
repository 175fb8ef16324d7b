import { expect, test } from 'vitest';
import { CLOSE, yCloseCode, type CloseCode } from './close-codes.ts';

const all: CloseCode[] = Object.values(CLOSE);

test('[CC1] a code stands once, and its reason fits a close frame (123 bytes)', () => {
  expect(new Set(all.map(({ code }) => code)).size).toBe(all.length);
  for (const { name } of all) expect(name.length).toBeLessThanOrEqual(123);
});

test('[CC2] y-websocket is sent a 44xx, on which it gives up for good, only where coming back is useless', () => {
  for (const close of all) {
    const sent = yCloseCode(close).code;
    if (close.clientShould === 'change-something') expect(sent).toBe(close.code);
    else expect(sent >= 4400 && sent <= 4499).toBe(false);
  }
  expect(yCloseCode(CLOSE.rateLimited)).toBe(CLOSE.tryAgainLater);
  expect(yCloseCode(CLOSE.restart)).toBe(CLOSE.restart);
});
