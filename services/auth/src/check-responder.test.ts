import { BusTimeout, InProcessBus } from '@weft/bus';
import { AUTH_CHECK_SUBJECT } from '@weft/grants';
import { createLogger } from '@weft/telemetry';
import { expect, test } from 'vitest';

import { CheckResponder } from './check-responder.ts';
import { DeciderUnavailable } from './deciders/decider.ts';

test('[A42] a question that cannot be decided is left unanswered, is counted, and fills no log', async () => {
  const lines: string[] = [];
  const logger = createLogger({ service: 'auth', level: 'info', stream: { write: (line) => void lines.push(line) } });
  const bus = new InProcessBus({ logger });
  const outcomes: string[] = [];
  const responder = new CheckResponder({
    bus: bus.sibling(),
    logger,
    decide: () => Promise.reject(new DeciderUnavailable('the backend is away')),
    count: (outcome) => void outcomes.push(outcome),
  });
  responder.start();
  const question = new TextEncoder().encode('{"token":"t","document":"d"}');
  await expect(bus.request(AUTH_CHECK_SUBJECT, question, { timeoutMs: 100 })).rejects.toThrow(BusTimeout);
  expect(outcomes).toEqual(['unavailable']);
  expect(lines).toEqual([]);
  await responder.drain();
  await bus.close();
});
