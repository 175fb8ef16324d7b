/**
 * The one catalogue of WebSocket close codes. `clientShould` is what a client should do; what today's providers do: the Hocuspocus provider never
 * reads codes and always reconnects after a second; y-websocket from 3.1 gives up for good on 4400 to 4499 (src/y-websocket.js `defaultShouldReconnect`)
 * and reconnects with backoff on every other.
 */
export interface CloseCode {
  readonly code: number;
  /** The reason sent with it. */
  readonly name: string;
  readonly meaning: string;
  readonly clientShould: 'nothing' | 'reconnect' | 'reconnect-later' | 'change-something';
}

export const CLOSE = {
  done: { code: 1000, name: 'Done', meaning: 'Both sides are finished.', clientShould: 'nothing' },
  goingAway: { code: 1001, name: 'Going Away', meaning: 'The server or the page leaves.', clientShould: 'reconnect' },
  frameTooLarge: { code: 1009, name: 'Message Too Big', meaning: 'A frame is larger than the limit.', clientShould: 'change-something' },
  restart: { code: 1012, name: 'Service Restart', meaning: 'This gateway is draining; the others are not.', clientShould: 'reconnect' },
  tryAgainLater: {
    code: 1013,
    name: 'Try Again Later',
    meaning: 'The client reads too slowly, or the server is overloaded.',
    clientShould: 'reconnect-later',
  },
  preAuthLimits: { code: 4205, name: 'Reset Connection', meaning: 'Too much was sent before signing in.', clientShould: 'reconnect-later' },
  badFrame: { code: 4400, name: 'Bad Frame', meaning: 'A frame could not be understood.', clientShould: 'change-something' },
  unauthorized: { code: 4401, name: 'Unauthorized', meaning: 'No valid token, or no readable frame.', clientShould: 'change-something' },
  forbidden: { code: 4403, name: 'Forbidden', meaning: 'The right to the document was withdrawn.', clientShould: 'change-something' },
  notFound: { code: 4404, name: 'Not Found', meaning: 'There is no such document.', clientShould: 'change-something' },
  timeout: { code: 4408, name: 'Connection Timeout', meaning: 'No sign-in within the deadline.', clientShould: 'reconnect' },
  rateLimited: { code: 4429, name: 'Too Many Requests', meaning: 'The rate limit is used up.', clientShould: 'reconnect-later' },
} as const satisfies Record<string, CloseCode>;

/**
 * The code to close a y-websocket connection with. Where coming back helps, a 44xx would keep y-websocket 3.1 away for good: it gets 1013.
 */
export function yCloseCode(close: CloseCode): CloseCode {
  const givesUp = close.code >= 4400 && close.code <= 4499;
  return givesUp && close.clientShould !== 'change-something' ? CLOSE.tryAgainLater : close;
}
