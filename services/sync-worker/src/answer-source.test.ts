import { frameUpdates, UpdateDeframer } from '@weft/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AnswerSource } from './answer-source.ts';

const updates = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 10 });

test('its bytes are those of frameUpdates, wherever they are cut', () => {
  fc.assert(
    fc.property(updates, fc.integer({ min: 1, max: 100 }), (list, chunk) => {
      const source = new AnswerSource(list);
      const deframer = new UpdateDeframer(1000);
      const got: Uint8Array[] = [];
      for (let offset = 0; offset < source.totalBytes; offset += chunk) got.push(...deframer.push(source.slice(offset, chunk)));
      expect(source.slice(0, source.totalBytes)).toEqual(frameUpdates(list));
      expect(got).toEqual(list);
      expect(source.slice(source.totalBytes, 10)).toHaveLength(0);
      const into = new Uint8Array(200).fill(255);
      const [placed, own] = [source.slice(3, 200, into), source.slice(3, 201, into)];
      expect(placed).toEqual(source.slice(3, 200));
      expect(placed.buffer).toBe(into.buffer);
      expect(own.buffer === into.buffer).toBe(own.length <= 200);
    }),
  );
});
