import {
  type Config,
  idSetting,
  jetStreamSettings,
  layoutSettings,
  originsSetting,
  processSettings,
  redisUrlSetting,
  setting,
  trustedProxiesSetting,
} from '@weft/config';

/** Settings of what the gateway does, wherever it runs. */
export const gatewaySettings = {
  ...layoutSettings,
  host: setting.string('WEFT_HOST', { default: '0.0.0.0', say: 'Address the clients connect to.' }),
  port: setting.port('WEFT_PORT', { default: 8080, say: 'Port the clients connect to.' }),
  ackAfter: setting.oneOf('WEFT_ACK_AFTER', ['log', 'database'], {
    default: 'log',
    say: 'What makes an edit acknowledged: it is fsynced in the log, or committed in Postgres.',
  }),
  frameBytesMax: setting.bytes('WEFT_FRAME_BYTES_MAX', { default: 8 * 1024 * 1024, min: 1024, say: 'Largest frame a client may send.' }),
  documentsMax: setting.integer('WEFT_CONNECTION_DOCUMENTS_MAX', { default: 100, min: 1, say: 'Documents open on one connection.' }),
  presenceBytesMax: setting.bytes('WEFT_CONNECTION_PRESENCE_BYTES_MAX', {
    default: 1024 * 1024,
    min: 1024,
    say: 'Awareness one connection may hold.',
  }),
  awarenessEntriesMax: setting.integer('WEFT_FRAME_PRESENCE_ENTRIES_MAX', {
    default: 5000,
    min: 1,
    say: 'Client ids in one awareness frame.',
  }),
  preAuthBytesMax: setting.bytes('WEFT_PRE_AUTH_BYTES_MAX', {
    default: 1024 * 1024,
    min: 1024,
    say: 'Bytes kept of frames that come before Auth.',
  }),
  preAuthFramesMax: setting.integer('WEFT_PRE_AUTH_FRAMES_MAX', { default: 500, min: 1, say: 'Frames kept that come before Auth.' }),
  authDeadlineMs: setting.durationMs('WEFT_AUTH_DEADLINE', {
    default: 10_000,
    min: 100,
    say: 'A connection with no valid Auth for so long is closed.',
  }),
  rightsRecheckMs: setting.durationMs('WEFT_RIGHTS_RECHECK', {
    default: 60_000,
    min: 600,
    say: 'The rights of everybody connected are asked for again once in this time, spread over it; changes are heard of at once.',
  }),
  framesPerSecond: setting.integer('WEFT_CONNECTION_FRAMES_PER_SECOND', {
    default: 1000,
    min: 1,
    say: 'Frames a connection may send; who was quiet may send twenty seconds of it at once. Beyond it: 4429.',
  }),
  bytesPerSecond: setting.bytes('WEFT_CONNECTION_BYTES_PER_SECOND', {
    default: 8 * 1024 * 1024,
    min: 1024,
    say: 'Bytes a connection may send; who was quiet may send twenty seconds of it at once. Beyond it: 4429.',
  }),
  documentsPerMinute: setting.integer('WEFT_CONNECTION_DOCUMENTS_PER_MINUTE', {
    default: 1000,
    min: 1,
    say: 'Documents opened and tokens brought on one connection. Beyond it: 4429.',
  }),
  userConnectionsMax: setting.integer('WEFT_USER_CONNECTIONS', {
    default: 2000,
    say: 'Connections of one user within about a minute, those that stay included; guests are no user. Beyond it: 429 and 4429. 0: any number.',
  }),
  addressConnectionsMax: setting.integer('WEFT_ADDRESS_CONNECTIONS', {
    default: 10_000,
    say: 'Connections of one address within about a minute, those that stay included. Beyond it: 429 and 4429. 0: any number.',
  }),
  sessionsMax: setting.integer('WEFT_FALLBACK_SESSIONS', {
    default: 20_000,
    say: 'Sessions without WebSocket (push and SSE) of one gateway. Beyond it: 503. 0: none.',
  }),
  banAfter: setting.integer('WEFT_BAN_AFTER', {
    default: 100,
    say: 'Connections closed within ten minutes for what no honest client sends, after which their address is banned. 0: never.',
  }),
  banMs: setting.durationMs('WEFT_BAN', { default: 600_000, min: 1000, say: 'How long a banned address is refused, with 429.' }),
  trustedProxies: trustedProxiesSetting,
  highWaterBytes: setting.bytes('WEFT_CONNECTION_HIGH_WATER', {
    default: 1024 * 1024,
    min: 16 * 1024,
    say: 'Unsent bytes over which a connection gets no more increments; it is caught up with one merged update when it drains.',
  }),
  slowClientMs: setting.durationMs('WEFT_SLOW_CLIENT', {
    default: 60_000,
    min: 1000,
    say: 'A connection over its high-water mark for so long is closed with 1013.',
  }),
  unacknowledgedBytesMax: setting.bytes('WEFT_UNACKNOWLEDGED_BYTES_MAX', {
    default: 64 * 1024 * 1024,
    min: 1024 * 1024,
    say: 'Edits of one slice that wait for the log, or for Postgres where acks do; beyond it clients are refused with 1013 and keep theirs.',
  }),
  origins: originsSetting,
  drainMs: setting.durationMs('WEFT_DRAIN', {
    default: 10_000,
    say: 'On SIGTERM connections are closed with 1012, spread over this time.',
  }),
};

export type GatewayConfig = Config<typeof gatewaySettings> & { readonly id: string };

export const gatewayProcessSettings = {
  ...gatewaySettings,
  ...processSettings,
  ...jetStreamSettings,
  redisUrl: redisUrlSetting,
  id: idSetting,
  grants: setting.oneOf('WEFT_GRANTS', ['off', 'edge'], {
    default: 'off',
    say: 'Whether an edge in front (deploy/nginx) brings signed grants, and takes away those that clients send: then they are believed, and nobody is asked at the upgrade.',
  }),
};
