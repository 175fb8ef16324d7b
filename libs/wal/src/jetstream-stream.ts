import { randomUUID } from 'node:crypto';
import {
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamManager,
  RetentionPolicy,
  type StreamConfig,
  type StreamInfo,
  StorageType,
} from '@nats-io/jetstream';
import { WalUnavailable, WalUnusable } from './wal.ts';

/**
 * One stream a slice: its sequences are the slice's positions, and it has its own fsync and its own Raft leader.
 *
 * The stream's only subject ends in a random id made with it: `weft.log.<slice>.<id>`. The id is the log's identity, and it costs nothing to check it:
 * an append or a trim meant for a log that was lost and made anew matches no subject and does nothing.
 */
export interface SliceStream {
  readonly slice: number;
  readonly name: string;
  readonly identity: string;
  readonly subject: string;
}

export interface StreamSettings {
  /** Prefix of the streams' names, e.g. WEFT_LOG. */
  readonly name: string;
  readonly replicas: number;
  readonly bytesMax: number;
}

const subjectPrefix = 'weft.log';
/** JSStreamNameExistErr: made by someone else between our look and our try. https://github.com/nats-io/nats-server/blob/main/server/errors.json */
const nameTaken = 10_058;
const notFound = 10_059;

export interface FoundStream extends SliceStream {
  readonly info: StreamInfo;
  readonly made: boolean;
}

/** undefined: there is none. */
export async function findStream(manager: JetStreamManager, name: string, slice: number): Promise<FoundStream | undefined> {
  try {
    const info = await manager.streams.info(name);
    return { ...identified(info, slice), info, made: false };
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === notFound) return undefined;
    throw error;
  }
}

export async function ensureStream(manager: JetStreamManager, settings: StreamSettings, slice: number): Promise<FoundStream> {
  const name = `${settings.name}_${slice}`;
  const found = await findStream(manager, name, slice);
  if (found) return { ...found, info: await adjusted(manager, settings, found.info) };
  try {
    const info = await manager.streams.add({ name, subjects: [newSubject(slice)], ...configOf(settings) });
    return { ...identified(info, slice), info, made: true };
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== nameTaken) throw error;
    const others = await findStream(manager, name, slice);
    // Of a cluster: the name is taken at once, the stream is found only when its servers have begun it.
    if (!others) throw new WalUnavailable(`stream ${name} is being made by somebody else`, { cause: error });
    return others;
  }
}

type Adjustable = Pick<
  StreamConfig,
  'num_replicas' | 'max_bytes' | 'max_age' | 'max_msgs' | 'max_msgs_per_subject' | 'max_msg_size' | 'discard'
>;

const adjustable = (settings: StreamSettings): Adjustable => ({
  num_replicas: settings.replicas,
  max_bytes: settings.bytesMax,
  max_age: 0,
  max_msgs: -1,
  max_msgs_per_subject: -1,
  max_msg_size: -1,
  // Full is an error for the appender. The other policy would throw away the oldest, which may not be in Postgres yet.
  discard: DiscardPolicy.New,
});

const configOf = (settings: StreamSettings): Adjustable & Pick<StreamConfig, 'retention' | 'storage'> => ({
  ...adjustable(settings),
  retention: RetentionPolicy.Limits,
  storage: StorageType.File,
});

/**
 * Gives a log that went backwards (SPEC.md, I2) another identity, keeping what it holds: whoever knows positions of the old one finds it replaced. Nothing, if somebody else was
 * faster.
 */
export async function renewStream(manager: JetStreamManager, { name, slice, identity }: SliceStream): Promise<void> {
  const now = await findStream(manager, name, slice);
  if (now?.identity === identity) await manager.streams.update(name, { ...now.info.config, subjects: [newSubject(slice)] });
}

/** Subjects of records that were taken under earlier identities, before the log was renewed. */
export async function earlierSubjects(manager: JetStreamManager, { name, slice, subject }: SliceStream): Promise<string[]> {
  const { state } = await manager.streams.info(name, { subjects_filter: `${subjectPrefix}.${slice}.>` });
  return Object.keys(state.subjects ?? {}).filter((one) => one !== subject);
}

const newSubject = (slice: number): string => `${subjectPrefix}.${slice}.${randomUUID()}`;

/** Brings a stream that differs to our settings where that is safe. Replicas are only ever added: taking one away during a fault may lose records. */
async function adjusted(manager: JetStreamManager, settings: StreamSettings, info: StreamInfo): Promise<StreamInfo> {
  const { config } = info;
  if (config.retention !== RetentionPolicy.Limits) {
    throw new WalUnusable(
      `stream ${config.name} has retention "${config.retention}", the log needs "limits": remove the stream or set another WEFT_LOG_STREAM`,
    );
  }
  const wanted = { ...adjustable(settings), num_replicas: Math.max(settings.replicas, config.num_replicas) };
  const differs = (Object.keys(wanted) as (keyof Adjustable)[]).some((key) => wanted[key] !== config[key]);
  return differs ? manager.streams.update(config.name, { ...config, ...wanted }) : info;
}

function identified({ config }: StreamInfo, slice: number): SliceStream {
  const [subject, ...others] = config.subjects ?? [];
  const identity = subject?.startsWith(`${subjectPrefix}.${slice}.`) ? subject.slice(`${subjectPrefix}.${slice}.`.length) : '';
  if (!subject || identity === '' || /[.*>]/.test(identity) || others.length > 0) {
    throw new WalUnusable(
      `stream ${config.name} is not a log of ours: its subjects are ${JSON.stringify(config.subjects)}, expected one "${subjectPrefix}.${slice}.<id>"; ` +
        'remove the stream or set another WEFT_LOG_STREAM',
    );
  }
  return { slice, name: config.name, identity, subject };
}
