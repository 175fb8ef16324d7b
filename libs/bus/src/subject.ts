/** NATS subject matching: `*` stands for one token, a last `>` for one or more. Pure. */
export type SubjectPattern = readonly string[];

export function parsePattern(pattern: string): SubjectPattern {
  const tokens = pattern.split('.');
  tokens.forEach((token, index) => {
    if (token === '' || /\s/.test(token))
      throw new RangeError(`bad subject "${pattern}": tokens are separated by single dots and hold no spaces`);
    if (token === '>' && index !== tokens.length - 1) throw new RangeError(`bad subject "${pattern}": ">" may only come last`);
  });
  return tokens;
}

/** Subjects found to be good lately: a service publishes to the same few again and again, and judging one costs more than the rest of `publish`. */
const known = new Map<string, readonly string[]>();
const knownMax = 4_096;

/** A subject to publish to: no wildcards. */
export function parseSubject(subject: string): readonly string[] {
  const tokens = known.get(subject) ?? judgedSubject(subject);
  if (known.size > knownMax) known.clear();
  return tokens;
}

function judgedSubject(subject: string): readonly string[] {
  const tokens = parsePattern(subject);
  if (tokens.includes('*') || tokens.includes('>')) throw new RangeError(`bad subject "${subject}": wildcards are for subscriptions`);
  known.set(subject, tokens);
  return tokens;
}

export function matches(pattern: SubjectPattern, subject: readonly string[]): boolean {
  for (let index = 0; index < pattern.length; index += 1) {
    const token = pattern[index];
    if (token === '>') return subject.length > index;
    if (index >= subject.length || (token !== '*' && token !== subject[index])) return false;
  }
  return pattern.length === subject.length;
}
