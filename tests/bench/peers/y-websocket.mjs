import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { setupWSConnection } from '@y/websocket-server/utils';

// What @y/websocket-server's own server.js does, on a newer `ws` than the one it names (6.2), which sets TCP_NODELAY; nothing is stored.
const port = Number(process.env.PORT);
const server = createServer((_request, response) => response.end('okay'));
const sockets = new WebSocketServer({ noServer: true });
sockets.on('connection', setupWSConnection);
server.on('upgrade', (request, socket, head) =>
  sockets.handleUpgrade(request, socket, head, (webSocket) => sockets.emit('connection', webSocket, request)),
);
server.listen(port, '127.0.0.1', () => console.log(`y-websocket ready on ${port}`));

// An end by itself, so that `--cpu-prof` is written.
process.once('SIGTERM', () => process.exit(0));
