import { App } from '@rjweb/uws';

/**
 * The ceiling: uWebSockets.js passes frames on and knows nothing of what they hold. Documents are empty to it: who joins is told so, and hears only what comes
 * after.
 */
const port = Number(process.env.PORT);

const sync = 0;
const awareness = 1;
const step1 = 0;
const update = 2;
/** The state vector of an empty document is one 0. */
const emptyStep1 = Uint8Array.of(sync, step1, 1, 0);
/** An update without structs and deletes is two. */
const emptyStep2 = Uint8Array.of(sync, 1, 2, 0, 0);

const app = App();
// Not `/:document`: parameter routes of this build never match for WebSockets.
app.ws('/*', {
  compression: 0,
  idleTimeout: 120,
  maxPayloadLength: 100 * 1024 * 1024,
  // Nothing is dropped: 0 is no limit.
  maxBackpressure: 0,
  upgrade: (response, request, context) =>
    response.upgrade(
      { topic: request.getUrl() },
      request.getHeader('sec-websocket-key'),
      request.getHeader('sec-websocket-protocol'),
      request.getHeader('sec-websocket-extensions'),
      context,
    ),
  open: (socket) => {
    socket.subscribe(socket.getUserData().topic);
    socket.send(emptyStep1, true);
  },
  message: (socket, message) => {
    const frame = new Uint8Array(message, 0, 2);
    if (frame[0] === awareness || (frame[0] === sync && frame[1] === update)) socket.publish(socket.getUserData().topic, message, true);
    else if (frame[0] === sync && frame[1] === step1) socket.send(emptyStep2, true);
  },
});
app.listen('127.0.0.1', port, (listening) => {
  if (!listening) throw new Error(`raw cannot listen on 127.0.0.1:${port}`);
  console.log(`raw ready on ${port}`);
});

process.once('SIGTERM', () => process.exit(0));
