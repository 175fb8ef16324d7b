/** A piece of HTML or SVG that is safe to put into a page. Only {@link html} makes one, and it escapes what it is given. */
export interface Markup {
  readonly markup: string;
}

type Part = string | number | undefined | Markup | readonly Markup[];

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Names come from command lines and peers: everything but markup is escaped. Values of attributes stand in double quotes. */
export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return { markup: texts.reduce((all, text, index) => all + shown(parts[index - 1]) + text) };
}

export function joined(parts: readonly Markup[]): Markup {
  return { markup: parts.map((part) => part.markup).join('') };
}

function shown(part: Part): string {
  if (part === undefined) return '';
  if (typeof part === 'string') return part.replaceAll(/[&<>"']/g, (character) => entities[character] ?? character);
  if (typeof part === 'number') return String(Math.round(part * 100) / 100);
  return 'markup' in part ? part.markup : joined(part).markup;
}
