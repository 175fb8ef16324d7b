import { describe, expect, test } from 'vitest';

import { roleFor } from './rights.ts';
import { isAtLeast, mayEdit, ROLES } from './role.ts';

describe('roles', () => {
  test('[G1] owners and editors edit, commenters and viewers do not', () => {
    expect(ROLES.filter(mayEdit)).toEqual(['owner', 'editor']);
    expect(isAtLeast('owner', 'editor')).toBe(true);
    expect(isAtLeast('editor', 'editor')).toBe(true);
    expect(isAtLeast('commenter', 'editor')).toBe(false);
  });
});

describe('rights', () => {
  test('[G2] an exact name, a prefix, everything', () => {
    expect(roleFor({ plan: 'viewer' }, 'plan')).toBe('viewer');
    expect(roleFor({ plan: 'viewer' }, 'plans')).toBeUndefined();
    expect(roleFor({ 'notes/*': 'editor' }, 'notes/a/b')).toBe('editor');
    expect(roleFor({ 'notes/*': 'editor' }, 'note')).toBeUndefined();
    expect(roleFor({ '*': 'owner' }, 'anything')).toBe('owner');
    expect(roleFor({}, 'anything')).toBeUndefined();
  });

  test('[G2] a star inside a pattern is an ordinary character', () => {
    expect(roleFor({ 'a*b': 'editor' }, 'a*b')).toBe('editor');
    expect(roleFor({ 'a*b': 'editor' }, 'axb')).toBeUndefined();
  });

  test('[G2] names that objects have by themselves give no right', () => {
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) expect(roleFor({ x: 'owner' }, name)).toBeUndefined();
  });

  test('[G3] the most specific pattern decides, whatever the order', () => {
    const rights = { '*': 'owner', 'a/*': 'viewer', 'a/b/*': 'editor', 'a/b/c': 'commenter' } as const;
    expect(roleFor(rights, 'z')).toBe('owner');
    expect(roleFor(rights, 'a/x')).toBe('viewer');
    expect(roleFor(rights, 'a/b/x')).toBe('editor');
    expect(roleFor(rights, 'a/b/c')).toBe('commenter');
    expect(roleFor(Object.fromEntries(Object.entries(rights).toReversed()), 'a/b/x')).toBe('editor');
  });
});
