/** One question to the operator's backend over HTTP. */
import { createHmac } from 'node:crypto';

import type { Question } from '@weft/grants';

import { MalformedWebhookAnswer, parseWebhookAnswer } from './webhook-answer.ts';
import type { WebhookAnswer } from './webhook-answer.ts';

export interface WebhookConfig {
  readonly url: string;
  readonly secret: string;
}

/** The backend did not answer, not in time, or with a status that says neither yes nor no. */
export class WebhookFailed extends Error {
  override readonly name = 'WebhookFailed';
}

const ANSWER_BYTES_MAX = 64 * 1024;

/**
 * `X-Weft-Timestamp` (seconds since the epoch) and `X-Weft-Signature`: `v1=` and the hex HMAC-SHA-256, with the shared secret, of the timestamp, a dot and the body's bytes. The
 * backend refuses a timestamp that is minutes old.
 */
export function signatureOf(secret: string, timestamp: string, body: string): string {
  return `v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
}

/** The answer, and whether the backend said 401: who are you? @throws WebhookFailed @throws MalformedWebhookAnswer */
export async function callWebhook(
  { url, secret }: WebhookConfig,
  { token, document }: Question,
  { nowMs, timeoutMs }: { readonly nowMs: number; readonly timeoutMs: number },
): Promise<{ answer: WebhookAnswer; status: number }> {
  const body = JSON.stringify({ token, document });
  const timestamp = String(Math.floor(nowMs / 1000));
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json',
    'x-weft-timestamp': timestamp,
    'x-weft-signature': signatureOf(secret, timestamp, body),
  };
  const { status, text } = await post(url, { method: 'POST', headers, body, redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) });
  const answer = parseWebhookAnswer(text, document);
  if (status !== 200 && !('refused' in answer)) throw new MalformedWebhookAnswer(`it allows with status ${status}`);
  return { answer, status };
}

/** A redirect is not followed: the token would go somewhere nobody named. */
async function post(url: string, request: RequestInit): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(url, request);
    const { status } = response;
    if (status !== 200 && status !== 401 && status !== 403) {
      await response.body?.cancel();
      throw new WebhookFailed(`the backend answered with status ${status}; expected 200, 401 or 403`);
    }
    return { status, text: await readText(response) };
  } catch (error) {
    if (error instanceof WebhookFailed || error instanceof MalformedWebhookAnswer) throw error;
    const isLate = error instanceof Error && error.name === 'TimeoutError';
    throw new WebhookFailed(isLate ? 'the backend did not answer in time' : 'the backend cannot be reached', { cause: error });
  }
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop early gives up the connection.
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) throw new MalformedWebhookAnswer(`it has more than ${ANSWER_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}
