import type { Heartbeat } from './envelope.ts';
import { beginEnvelope, readEnvelope, readFlag, readPeer, refuseEnvelope, writePeer } from './envelope-fields.ts';

const KIND_HEARTBEAT = 64;

/** A view that is good until the next message is encoded, whichever it is: publish it at once (the bus copies), or copy it. */
export function encodeHeartbeat(heartbeat: Heartbeat): Uint8Array {
  const writer = beginEnvelope(KIND_HEARTBEAT);
  writer.byte(heartbeat.role === 'worker' ? 0 : 1);
  writePeer(writer, heartbeat.peer);
  writer.byte(heartbeat.draining ? 1 : 0);
  writer.varUint(heartbeat.load);
  return writer.written();
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
