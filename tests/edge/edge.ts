import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { claimPort, type NginxPlace, startNginx } from '@weft/testkit';
import { type Certificate, testCertificate } from './certificate.ts';

const folder = fileURLToPath(new URL('../../deploy/nginx/', import.meta.url));

/** Ports of 127.0.0.1. */
export interface Behind {
  readonly gateways: readonly number[];
  readonly auth: number;
  /** More for nginx's http block. */
  readonly more?: string;
}

/** A real nginx with the configuration we ship: only names and ports of who is behind it, its own ports and its certificate are the test's. */
export class Edge {
  readonly port: number;
  /** Where it sends browsers on to TLS. */
  readonly plainPort: number;
  readonly ca: string;
  readonly #folder: string;
  readonly #stop: () => Promise<void>;

  private constructor(parts: { port: number; plainPort: number; ca: string; folder: string; stop: () => Promise<void> }) {
    this.port = parts.port;
    this.plainPort = parts.plainPort;
    this.ca = parts.ca;
    this.#folder = parts.folder;
    this.#stop = parts.stop;
  }

  static async start(behind: Behind): Promise<Edge> {
    const plainPort = await claimPort();
    const tls = testCertificate();
    const nginx = await startNginx({
      config: (place) => `${templated(readFileSync(join(folder, 'weft.conf'), 'utf8'), place, plainPort, behind)}\n${behind.more ?? ''}`,
      files: filesOf(tls),
    });
    return new Edge({ port: nginx.port, plainPort, ca: tls.certificate, folder: nginx.folder, stop: () => nginx.stop() });
  }

  /** For a provider. */
  get url(): string {
    return `wss://127.0.0.1:${this.port}`;
  }

  log(name: 'access' | 'error'): string {
    return readFileSync(join(this.#folder, `${name}.log`), 'utf8');
  }

  async stop(): Promise<void> {
    await this.#stop();
  }
}

function filesOf({ certificate, key }: Certificate): Record<string, string> {
  return { 'weft-headers.conf': readFileSync(join(folder, 'weft-headers.conf'), 'utf8'), 'tls.crt': certificate, 'tls.key': key };
}

function templated(shipped: string, { port, folder: own }: NginxPlace, plainPort: number, { gateways, auth }: Behind): string {
  const servers = gateways.map((gateway) => `server 127.0.0.1:${gateway};`).join(' ');
  const changes: [from: string, to: string, times: number][] = [
    ['server gateway:8080;', servers, 2],
    ['server auth:8081;', `server 127.0.0.1:${auth};`, 1],
    ['listen 80 default_server;', `listen 127.0.0.1:${plainPort} default_server;`, 1],
    ['listen 443 ssl http2 default_server;', `listen 127.0.0.1:${port} ssl http2 default_server;`, 1],
    ['/etc/nginx/tls/tls.crt', join(own, 'tls.crt'), 1],
    ['/etc/nginx/tls/tls.key', join(own, 'tls.key'), 1],
    ['/var/log/nginx/access.log', join(own, 'access.log'), 1],
  ];
  return changes.reduce((text, [from, to, times]) => {
    const parts = text.split(from);
    if (parts.length !== times + 1)
      throw new Error(`deploy/nginx/weft.conf has ${JSON.stringify(from)} ${parts.length - 1} times, not ${times}`);
    return parts.join(to);
  }, shipped);
}
