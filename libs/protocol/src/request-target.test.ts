import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { documentNameProblem } from './document-name.ts';
import { documentInTarget, isCollabTarget, TARGET_BYTES_MAX, tokenInTarget } from './request-target.ts';

const anyName = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 });
/** Text as an attacker makes it: the pieces that proxies and servers understand differently. */
const trickyText = fc
  .array(
    fc.oneof(
      fc.constantFrom('/', '//', '.', '..', '%2f', '%2F', '%5c', '%2e', '%252e', ';', '?', '#', '\\', '%00', '%c0%af', '%', 'a', 'yjs'),
      fc.string({ unit: 'binary', maxLength: 3 }),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(''));
const dotted = (name: string): boolean => name.split('/').some((part) => part === '.' || part === '..');

describe('[RT1] the name is what follows /yjs/, percent-decoded once', () => {
  test('whatever a client encodes comes back, or is refused for what it is', () => {
    fc.assert(
      fc.property(anyName, fc.constantFrom('', '?', '?token=x', '?a=/yjs/other'), (name, query) => {
        fc.pre(name.isWellFormed());
        const expected = documentNameProblem(name) === undefined && !dotted(name) ? { name } : { problem: expect.any(String) };
        expect(documentInTarget(`/yjs/${encodeURIComponent(name)}${query}`)).toEqual(expected);
      }),
    );
  });

  test.each([
    ['slashes as they are', '/yjs/a/b', 'a/b'],
    ['encoded slashes', '/yjs/a%2fb', 'a/b'],
    ['double encoding', '/yjs/a%252fb', 'a%2fb'],
    ['double encoding of dots', '/yjs/%252e%252e/a', '%2e%2e/a'],
    ['a trailing slash', '/yjs/a/', 'a/'],
    ['double slashes', '/yjs//a//b', '/a//b'],
    ['a semicolon', '/yjs/a;b=c', 'a;b=c'],
    ['dots and a semicolon', '/yjs/..;/a', '..;/a'],
    ['upper case', '/yjs/Plan', 'Plan'],
    ['a plus', '/yjs/a+b', 'a+b'],
    ['an encoded question mark', '/yjs/a%3Ftoken=x?token=y', 'a?token=x'],
    ['characters browsers leave as they are', "/yjs/a|b[c]^d'e", "a|b[c]^d'e"],
  ])('%s', (_what, target, name) => {
    expect(documentInTarget(target)).toEqual({ name });
  });
});

describe('[RT2] a target that programs read differently is refused', () => {
  test.each([
    ['dots', '/yjs/../collab', /"\.\."/],
    ['dots behind an encoded slash', '/yjs/a/..%2Fcollab', /"\.\."/],
    ['encoded dots', '/yjs/%2e%2E/a', /"\.\."/],
    ['one dot', '/yjs/a/./b', /"\."/],
    ['dots alone', '/yjs/..', /"\.\."/],
    ['a fragment', '/yjs/a#b', /percent-encoded/],
    ['a backslash', '/yjs/a\\..\\b', /percent-encoded/],
    ['bytes beyond ASCII', '/yjs/ä', /percent-encoded/],
    ['a space', '/yjs/a b', /percent-encoded/],
    ['a NUL', '/yjs/a%00b', /NUL/],
    ['overlong UTF-8', '/yjs/%c0%ae%c0%ae/a', /not percent-encoded UTF-8/],
    ['a lone percent sign', '/yjs/a%2', /not percent-encoded UTF-8/],
    ['half a surrogate pair', '/yjs/%ED%A0%80', /not percent-encoded UTF-8/],
    ['absolute-form', 'http://weft.test/yjs/a', /begin with/],
    ['nothing', '', /begin with/],
    ['no name', '/yjs/', /empty/],
    ['no slash', '/yjs', /names no document/],
    ['slashes before', '//yjs/a', /names no document/],
    ['an encoded prefix', '/%79js/a', /names no document/],
    ['an encoded slash in the prefix', '/yjs%2fa', /names no document/],
    ['another case', '/YJS/a', /names no document/],
    ['dots before the prefix', '/x/../yjs/a', /names no document/],
    ['[RT6] too long', `/yjs/a?${'x'.repeat(TARGET_BYTES_MAX)}`, /at most 16384/],
  ])('%s', (_what, target, problem) => {
    expect(documentInTarget(target)).toEqual({ problem: expect.stringMatching(problem) });
  });
});

test('[RT3] whatever the target is, there is a name that can be or a problem, and the query changes neither', () => {
  fc.assert(
    fc.property(trickyText, trickyText, (path, query) => {
      fc.pre(!path.includes('?'));
      const target = `/yjs/${path}`;
      const found = documentInTarget(target);
      expect(documentInTarget(`${target}?${query}`)).toEqual(found);
      if ('name' in found) expect([documentNameProblem(found.name), dotted(found.name)]).toEqual([undefined, false]);
      else expect(found.problem).not.toBe('');
    }),
    { numRuns: 2000 },
  );
});

test('[RT4] only /collab is /collab', () => {
  for (const target of ['/collab', '/collab?token=x']) expect(isCollabTarget(target)).toBe(true);
  for (const target of ['/collab/', '/%63ollab', '/Collab', '//collab', '/collab;x', '/collab#x', '/x/../collab', '', 'http://a/collab'])
    expect(isCollabTarget(target)).toBe(false);
});

test('[RT5] the token is the first of that name in the query', () => {
  expect(tokenInTarget('/yjs/a?token=x&token=y')).toBe('x');
  expect(tokenInTarget('/yjs/a?a=b&token=%41%20+')).toBe('A  ');
  expect(tokenInTarget('/yjs/a%3Ftoken=x')).toBe('');
  expect(tokenInTarget('/collab?Token=x')).toBe('');
  fc.assert(
    fc.property(trickyText, (text) => {
      const token = text.toWellFormed();
      expect(tokenInTarget(`/yjs/a?token=${encodeURIComponent(token)}`)).toBe(token);
    }),
  );
});
