export const DOCUMENT_NAME_BYTES_MAX = 255;

const encoder = new TextEncoder();

/**
 * Why `name` cannot name a document, or undefined if it can: 1 to 255 bytes of UTF-8, well-formed (no lone surrogates), no NUL
 * (it separates a Hocuspocus session id), not only white space.
 */
export function documentNameProblem(name: string): string | undefined {
  if (name.length === 0) return 'the document name is empty; give 1 to 255 bytes';
  if (name.includes('\0')) return 'the document name contains a NUL character';
  if (!name.isWellFormed()) return 'the document name is not well-formed Unicode: it contains half a surrogate pair';
  if (name.trim().length === 0) return 'the document name is blank; give at least one character that is not white space';
  // A UTF-16 unit takes at most three bytes: most names need not be encoded to know they fit.
  if (name.length * 3 <= DOCUMENT_NAME_BYTES_MAX) return undefined;
  const bytes = encoder.encode(name).length;
  if (bytes > DOCUMENT_NAME_BYTES_MAX)
    return `the document name takes ${bytes} bytes of UTF-8; at most ${DOCUMENT_NAME_BYTES_MAX} are allowed`;
  return undefined;
}
