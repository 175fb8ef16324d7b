import { type Cluster, type ClusterOptions, startCluster } from '../harness/cluster.ts';
import { LossyDisk } from '../harness/lossy-disk.ts';
import type { Random } from '../harness/random.ts';
import type { PlannedRound } from './power-variants.ts';

const seedsMax = 2 ** 31;

/**
 * Else Postgres syncs each of its 1,300 files at a start after a crash, seconds on such a disk, against what the kernel still holds unwritten. A disk that was cut holds
 * nothing, and one that was not is made to write it back (see `goDark`): there is nothing left to sync.
 */
const noStartSync = { recovery_init_sync_method: 'syncfs' };

export interface PowerHouseOptions extends Pick<ClusterOptions, 'env' | 'nodeArgs' | 'nats'> {
  /** `sync_interval: always`; default true. */
  readonly natsSyncs?: boolean;
  readonly postgresSettings?: Readonly<Record<string, string>>;
  /** Gives where the services are to find the database at this URL. */
  readonly postgresThrough?: (url: string) => Promise<string>;
}

export interface Cut {
  /** Of unsynced bytes, on all disks that were cut. */
  readonly bytesLost: number;
  readonly bytesKept: number;
}

/** The cluster of separate processes, with what its NATS and its Postgres keep on two disks whose power can be cut. */
export class PowerHouse {
  readonly cluster: Cluster;
  readonly #disks: { readonly nats: LossyDisk; readonly postgres: LossyDisk };

  private constructor(cluster: Cluster, disks: { readonly nats: LossyDisk; readonly postgres: LossyDisk }) {
    this.cluster = cluster;
    this.#disks = disks;
  }

  static async start({ natsSyncs = true, postgresSettings, env, ...options }: PowerHouseOptions = {}): Promise<PowerHouse> {
    const disks = { nats: LossyDisk.mount(), postgres: LossyDisk.mount() };
    try {
      const cluster = await startCluster({
        gateways: 2,
        workers: 2,
        ...options,
        // All nodes of NATS on one disk: their power goes at the same moment.
        servers: {
          nats: { storeDir: disks.nats.folder, syncAlways: natsSyncs },
          postgres: { folder: disks.postgres.folder, settings: { ...noStartSync, ...postgresSettings } },
        },
        env: { WEFT_NATS_SYNC_ALWAYS: String(natsSyncs), ...env },
      });
      return new PowerHouse(cluster, disks);
    } catch (error) {
      for (const disk of Object.values(disks)) disk.unmount();
      throw error;
    }
  }

  /** Every signal is sent before this returns; resolves when all are gone and the disks have forgotten. */
  async goDark({ cut, ends, keep }: PlannedRound, random: Random): Promise<Cut> {
    const { nats, postgres, redis, services } = this.cluster;
    const servers = { both: [nats, postgres], nats: [nats], postgres: [postgres] }[cut];
    const victims = ends === 'its servers' ? servers : [...services, nats, postgres, redis];
    await Promise.all(shuffled(victims, random).map((victim) => victim.kill()));
    const { nats: natsDisk, postgres: postgresDisk } = this.#disks;
    // The kernel of a machine whose power stays writes everything back sooner or later. Here it does so now.
    if (ends === 'everything' && cut !== 'both') (cut === 'nats' ? postgresDisk : natsDisk).cut({ keep: 1, seed: 0 });
    const losses = { both: [natsDisk, postgresDisk], nats: [natsDisk], postgres: [postgresDisk] }[cut].map((disk) => {
      const before = disk.counters;
      disk.cut({ keep, seed: random.int(seedsMax) });
      const after = disk.counters;
      return { bytesLost: after.bytesLost - before.bytesLost, bytesKept: after.bytesKept - before.bytesKept };
    });
    return {
      bytesLost: losses.reduce((sum, { bytesLost }) => sum + bytesLost, 0),
      bytesKept: losses.reduce((sum, { bytesKept }) => sum + bytesKept, 0),
    };
  }

  /** Whatever went dark, all at once: who needs another waits for it. Gives how long until everything was ready, ms. */
  async comeBack({ cut, ends }: PlannedRound): Promise<number> {
    const beganMs = performance.now();
    const { nats, postgres, redis } = this.cluster;
    const servers = { both: [nats, postgres], nats: [nats], postgres: [postgres] }[cut];
    if (ends === 'its servers') await Promise.all(servers.map((server) => server.start()));
    else await Promise.all([nats.start(), postgres.start(), redis.start(), this.cluster.startServices()]);
    return performance.now() - beganMs;
  }

  async end(): Promise<void> {
    await this.cluster.kill();
    for (const disk of Object.values(this.#disks)) disk.unmount();
  }
}

function shuffled<T>(list: readonly T[], random: Random): T[] {
  return list
    .map((item) => ({ item, place: random.int(seedsMax) }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ item }) => item);
}
