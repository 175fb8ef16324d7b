import { expect, test } from 'vitest';
import { nowUs, readStamp, STAMP_LENGTH, stampText, writeStamp } from './stamp.ts';

test('a stamp is read as it was written, whole microseconds of it', () => {
  for (const us of [0, 1, 63, 64, nowUs(), nowUs() + 0.75]) {
    const bytes = new Uint8Array(3 + STAMP_LENGTH);
    writeStamp(us, bytes, 3);
    expect(readStamp(bytes, 3)).toBe(Math.floor(us));
    expect(stampText(us)).toBe(Buffer.from(bytes.subarray(3)).toString());
  }
});

test('what is no stamp is none', () => {
  expect(readStamp(Buffer.from('ordinary text'), 0)).toBeUndefined();
  expect(readStamp(Buffer.from('12345'), 0)).toBeUndefined();
});
