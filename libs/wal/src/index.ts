export { jetStreamOptions } from './jetstream-options.ts';
export {
  type DroppedPieces,
  type DropReason,
  PieceAssembler,
  type PieceLimits,
  type PieceSource,
  pieceLimitsDefault,
} from './piece-assembler.ts';
export type { EntryPayload, RecordEntry, WalRecord } from './record.ts';
export { decodeRecord, encodeRecord, forEachEntry, MalformedRecord, RecordReader } from './record-codec.ts';
export { type PackedRecord, type PendingEntry, RecordPacker } from './record-packer.ts';
export { SqlWal, type SqlWalOptions } from './sql.ts';
export {
  type Appended,
  type AnnouncedFloor,
  type Floor,
  type LogRecord,
  type SliceState,
  type Wal,
  WalClosed,
  WalFull,
  type WalReader,
  WalRecordTooLarge,
  WalReplaced,
  WalTrimmed,
  WalUnavailable,
  WalUnusable,
} from './wal.ts';
export { JetStreamWal, type JetStreamWalOptions } from './jetstream.ts';
