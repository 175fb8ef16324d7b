import { Piece } from './piece.ts';
import { ByteWriter } from './byte-writer.ts';
import { checkSectionOrder, readDeletes } from './scan-update.ts';
import { decodeStateVector } from './state-vector.ts';
import { writeStructFrom } from './struct-part.ts';
import { SKIP, UpdateReader } from './update-reader.ts';

/**
 * What `update` (V1) brings to someone who stands at `stateVector` (encoded or decoded), and its whole delete set: as `Y.diffUpdate`, on bytes.
 * Throws `MalformedUpdate`, `MalformedStateVector`.
 */
export function diffUpdate(update: Uint8Array, stateVector: Uint8Array | ReadonlyMap<number, number>): Uint8Array {
  const known = stateVector instanceof Uint8Array ? decodeStateVector(stateVector) : stateVector;
  const reader = new UpdateReader(update);
  const piece = new Piece(update);
  const sections = reader.varUint();
  let lastClient = Infinity;
  for (let i = 0; i < sections; i++) {
    const at = reader.pos;
    const structs = reader.sectionHead();
    checkSectionOrder(reader.client, lastClient, at);
    lastClient = reader.client;
    addUnknown(reader, structs, known.get(reader.client) ?? 0, piece);
  }
  const deletesAt = reader.pos;
  readDeletes(reader);
  reader.end();
  return piece.seal(update.subarray(deletesAt));
}

/** Passes over a section; adds its structs from clock `known` on to the piece. A Skip never comes first. */
function addUnknown(reader: UpdateReader, structs: number, known: number, piece: Piece): void {
  const { client } = reader;
  for (let i = 0; i < structs; i++) {
    reader.struct();
    const end = reader.clock + reader.length;
    if (end > known && (reader.info !== SKIP || piece.has(client))) {
      if (reader.clock < known) piece.addPart(client, known, rightPart(reader, known - reader.clock), reader.pos);
      else piece.add(client, reader.clock, reader.start, reader.pos);
    }
    reader.clock = end;
  }
}

function rightPart(reader: UpdateReader, offset: number): Uint8Array {
  const writer = new ByteWriter(reader.pos - reader.start + 32);
  writeStructFrom(writer, reader, offset);
  return writer.take();
}
