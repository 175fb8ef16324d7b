import * as encoding from 'lib0/encoding';
import type { Heartbeat } from './envelope.ts';
import { beginEnvelope, readEnvelope, readFlag, readPeer, refuseEnvelope, writePeer } from './envelope-fields.ts';

const KIND_HEARTBEAT = 64;

export function encodeHeartbeat(heartbeat: Heartbeat): Uint8Array {
  const encoder = beginEnvelope(KIND_HEARTBEAT);
  encoding.writeUint8(encoder, heartbeat.role === 'worker' ? 0 : 1);
  writePeer(encoder, heartbeat.peer);
  encoding.writeUint8(encoder, heartbeat.draining ? 1 : 0);
  encoding.writeVarUint(encoder, heartbeat.load);
  return encoding.toUint8Array(encoder);
}

/** Throws `EnvelopeError`. */
export function decodeHeartbeat(bytes: Uint8Array): Heartbeat {
  return readEnvelope(bytes, (kind, reader) => {
    if (kind !== KIND_HEARTBEAT) refuseEnvelope(`kind ${kind} on the ring; expected ${KIND_HEARTBEAT}`);
    return {
      kind: 'heartbeat',
      role: readFlag(reader, 'a role') ? 'gateway' : 'worker',
      peer: readPeer(reader),
      draining: readFlag(reader, 'whether it is draining'),
      load: reader.varUint('a load'),
    };
  });
}
