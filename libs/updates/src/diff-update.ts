import * as Y from 'yjs';
export function diffUpdate(update: Uint8Array, stateVector: Uint8Array): Uint8Array {
  return Y.diffUpdate(update, stateVector);
}
