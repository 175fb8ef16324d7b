import type { HttpResponse } from '@rjweb/uws';

/** A request that is answered later: its response may only be touched while the client is there. */
export class WaitingClient {
  readonly res: HttpResponse;
  isGone = false;
  onGone: () => void = () => {};

  constructor(res: HttpResponse) {
    this.res = res;
    res.onAborted(() => {
      this.isGone = true;
      this.onGone();
    });
  }
}
