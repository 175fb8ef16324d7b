import { once } from 'node:events';
import { connect } from 'node:net';
import type { HttpResponse } from '@rjweb/uws';
import type { Uws } from './uws.ts';

/**
 * Upgrades requests after their handler has returned, which is where asking for rights leads to.
 *
 * uWebSockets.js wants that done inside `res.cork`; but before uNetworking/uWebSockets#1929 that `cork` took the socket for HTTP still after `res.upgrade`, read what the heap held there by then, and now and then closed
 * the new WebSocket at once (1006 for the client). Uncorked it is sound, but writes a warning to stderr each time. The warning asks only whether *some* cork is held: so it is done in that of another response,
 * one that never ends, of a connection from this process to itself (docs/decisions/0011).
 */
export class LateUpgrade {
  static #shared: Promise<LateUpgrade> | undefined;
  #held: HttpResponse | undefined;

  private constructor(held: HttpResponse) {
    this.#held = held;
    held.onAborted(() => {
      this.#held = undefined;
    });
  }

  /** The same for all servers of this process, as uWebSockets.js' loop is. Rejects when this process may not listen on 127.0.0.1, or not connect to itself there. */
  static get(uws: Uws): Promise<LateUpgrade> {
    return (this.#shared ??= this.#open(uws));
  }

  static async #open(uws: Uws): Promise<LateUpgrade> {
    const app = uws.app();
    const asked = new Promise<LateUpgrade>((resolve) => {
      app.any('/*', (response) => resolve(new LateUpgrade(response)));
    });
    const listening = await uws.listen(app, '127.0.0.1', 0);
    if (!listening) throw new Error('cannot listen on a free port of 127.0.0.1');
    const client = connect(listening.port, '127.0.0.1').unref();
    await once(client, 'connect');
    client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const late = await asked;
    listening.close();
    return late;
  }

  /** `upgrade` calls `res.upgrade` of a request that is still there. */
  run(upgrade: () => void): void {
    // Nobody ends the held response; if something did, upgrades would go on, with the warning.
    if (this.#held) this.#held.cork(upgrade);
    else upgrade();
  }
}
