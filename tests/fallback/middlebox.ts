import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { startNginx } from '@weft/testkit';
import type { Certificate } from '../edge/certificate.ts';

/** What it does to WebSockets. */
export type Breakage = 'refused' | 'swallowed' | 'cut';

const cutAfterMs = 5000;

/** A company's proxy that ends TLS and does not know WebSockets: an nginx of its own before the edge. Also serves the page of a test. */
export class Middlebox {
  readonly port: number;
  readonly #undo: (() => Promise<void> | void)[];

  private constructor(port: number, undo: (() => Promise<void> | void)[]) {
    this.port = port;
    this.#undo = undo;
  }

  static async start(options: {
    readonly edgePort: number;
    readonly breakage: Breakage;
    readonly tls: Certificate;
    readonly files: Readonly<Record<string, string>>;
  }): Promise<Middlebox> {
    const { edgePort, breakage, tls, files } = options;
    const trap = await Trap.start(breakage === 'cut' ? edgePort : undefined);
    const nginx = await startNginx({
      files: { ...files, 'tls.crt': tls.certificate, 'tls.key': tls.key },
      config: ({ port, folder }) => `
        server {
          listen 127.0.0.1:${port} ssl http2;
          ssl_certificate tls.crt;
          ssl_certificate_key tls.key;
          proxy_http_version 1.1;
          proxy_set_header Host $http_host;
          proxy_read_timeout 120s;
          location = /page.html { root ${folder}; default_type text/html; }
          location = /page.js { root ${folder}; default_type text/javascript; }
          location / { proxy_pass https://127.0.0.1:${edgePort}; proxy_set_header Connection ""; }
          ${['= /collab', '/yjs/'].map((path) => `location ${path} { ${webSockets(breakage, edgePort, trap.port)} }`).join('\n')}
        }`,
    });
    return new Middlebox(nginx.port, [() => nginx.stop(), () => trap.stop()]);
  }

  async stop(): Promise<void> {
    for (const undo of this.#undo) await undo();
  }
}

function webSockets(breakage: Breakage, edgePort: number, trapPort: number): string {
  switch (breakage) {
    case 'refused':
      // As most such proxies: the request goes on without what makes it an upgrade.
      return `proxy_set_header Connection ""; proxy_pass https://127.0.0.1:${edgePort};`;
    case 'swallowed':
      return `proxy_pass http://127.0.0.1:${trapPort};`;
    case 'cut':
      return `proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; proxy_pass https://127.0.0.1:${trapPort};`;
  }
}

/** Takes connections and says nothing; or carries them to a port, for a while. */
class Trap {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(carriesTo: number | undefined): Promise<Trap> {
    const server = createServer();
    const trap = new Trap(server);
    server.on('connection', (socket) => {
      trap.#keep(socket.resume());
      if (carriesTo === undefined) return;
      const onward = connect(carriesTo, '127.0.0.1');
      trap.#keep(onward);
      socket.pipe(onward).pipe(socket);
      setTimeout(() => {
        socket.destroy();
        onward.destroy();
      }, cutAfterMs);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return trap;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
  }
}
