import type { Awareness } from 'y-protocols/awareness';

import { initials, parsePerson } from './person.ts';
import type { Person } from './person.ts';

/** Faces shown; the rest is a number. */
const FACES_MAX = 5;

interface Present extends Person {
  readonly clientId: number;
  readonly own: boolean;
}

/** Keeps `list` in step with who is present: one face a tab, one's own first. Returns a function that draws at once. */
export function showPeople(list: HTMLElement, awareness: Awareness): () => void {
  const draw = () => {
    const present = presentOf(awareness);
    const faces = present.slice(0, FACES_MAX).map(faceOf);
    if (present.length > FACES_MAX) faces.push(restOf(present.slice(FACES_MAX)));
    list.replaceChildren(...faces);
  };
  awareness.on('change', draw);
  draw();
  return draw;
}

function presentOf(awareness: Awareness): Present[] {
  const present: Present[] = [];
  for (const [clientId, state] of awareness.getStates()) {
    const person = parsePerson(state['user']);
    if (person !== undefined) present.push({ ...person, clientId, own: clientId === awareness.clientID });
  }
  return present.toSorted((a, b) => Number(b.own) - Number(a.own) || a.clientId - b.clientId);
}

function faceOf({ name, color, own }: Present): HTMLElement {
  return item(initials(name), own ? `${name} (you)` : name, color);
}

function restOf(people: readonly Present[]): HTMLElement {
  return item(`+${people.length}`, people.map(({ name }) => name).join(', '), undefined);
}

function item(letters: string, label: string, color: string | undefined): HTMLElement {
  const element = document.createElement('li');
  element.className = 'face';
  element.title = label;
  if (color !== undefined) element.style.backgroundColor = color;
  const shown = document.createElement('span');
  shown.ariaHidden = 'true';
  shown.textContent = letters;
  const said = document.createElement('span');
  said.className = 'hidden';
  said.textContent = label;
  element.append(shown, said);
  return element;
}
