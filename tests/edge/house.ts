import { type Cluster, startCluster } from '../harness/cluster.ts';
import { type Claims, Signer } from '../limits/signer.ts';
import { Edge } from './edge.ts';

/** A real cluster with a real nginx in front, and the key that signs its tokens and grants: an attacker's test has to be able to sign wrongly. */
export class EdgeHouse {
  readonly signer: Signer;
  readonly cluster: Cluster;
  readonly edge: Edge;

  private constructor(parts: { signer: Signer; cluster: Cluster; edge: Edge }) {
    this.signer = parts.signer;
    this.cluster = parts.cluster;
    this.edge = parts.edge;
  }

  static async start({
    gateways = 1,
    env = {},
  }: { readonly gateways?: number; readonly env?: Readonly<Record<string, string>> } = {}): Promise<EdgeHouse> {
    const signer = new Signer('house');
    const cluster = await startCluster({ gateways, env: { WEFT_AUTH_KEY: signer.jwk, WEFT_GRANTS: 'edge', ...env } });
    try {
      const edge = await Edge.start({ gateways: cluster.gateways.map(({ port }) => port), auth: cluster.auth[0]!.port });
      return new EdgeHouse({ signer, cluster, edge });
    } catch (error) {
      await cluster.kill();
      throw error;
    }
  }

  token(claims: Claims = {}): string {
    return this.signer.token(claims);
  }

  async stop(): Promise<void> {
    await this.edge.stop();
    await this.cluster.kill();
  }
}
