/** Which methods a path takes: Fastify says "not found" where only the method is wrong. */
export class KnownRoutes {
  readonly #routes: { readonly methods: readonly string[]; readonly parts: readonly string[] }[] = [];

  add(methods: string | readonly string[], pattern: string): void {
    this.#routes.push({ methods: [methods].flat(), parts: pattern.split('/') });
  }

  /** HEAD goes with GET, and is not told. */
  methodsAt(path: string): readonly string[] {
    const parts = path.split('/');
    const methods = this.#routes.filter((route) => fits(route.parts, parts)).flatMap((route) => route.methods);
    return [...new Set(methods)].filter((method) => method !== 'HEAD' && method !== 'OPTIONS').toSorted();
  }
}

function fits(pattern: readonly string[], parts: readonly string[]): boolean {
  return (
    pattern.length === parts.length &&
    pattern.every((part, index) => part === parts[index] || (part.startsWith(':') && parts[index] !== ''))
  );
}
