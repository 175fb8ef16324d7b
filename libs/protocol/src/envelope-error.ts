/** Bytes on the bus that are not a message of this house (or of another version of it). `message` says what was given and what is expected. */
export class EnvelopeError extends Error {
  override readonly name = 'EnvelopeError';
}
