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

/** A subject to publish to: no wildcards. */
export function parseSubject(subject: string): readonly string[] {
  const tokens = parsePattern(subject);
  if (tokens.includes('*') || tokens.includes('>')) throw new RangeError(`bad subject "${subject}": wildcards are for subscriptions`);
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
