import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificate {
  /** PEM. Of its own authority: it is also what clients have to believe. */
  readonly certificate: string;
  readonly key: string;
}

/** For 127.0.0.1 and `localhost`, a day long. */
export function testCertificate(): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'weft-edge-tls-'));
  try {
    const [key, certificate] = [join(folder, 'key'), join(folder, 'crt')];
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    execFileSync('openssl', ['req', '-x509', ...kind, ...names, '-keyout', key, '-out', certificate], { stdio: 'ignore' });
    return { certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
