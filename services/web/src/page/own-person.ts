import { NAME_LENGTH_MAX, cleanName, parsePerson, randomPerson } from './person.ts';
import type { Person } from './person.ts';

const STORAGE_KEY = 'weft.person';

/** The person of this browser: the one kept, else a random one, which is kept. */
export function ownPerson(): Person {
  const person = readKept() ?? randomPerson(Math.random);
  keep(person);
  return person;
}

/** Lets `input` change the name. `renamed` is called with each new, usable one. */
export function editOwnName(input: HTMLInputElement, person: Person, renamed: (person: Person) => void): void {
  let current = person;
  input.maxLength = NAME_LENGTH_MAX;
  input.value = current.name;
  input.style.setProperty('--own-color', current.color);
  input.addEventListener('input', () => {
    const name = cleanName(input.value);
    if (name === undefined) return;
    current = { ...current, name };
    input.title = keep(current) ? '' : 'This browser does not keep your name.';
    renamed(current);
  });
  input.addEventListener('blur', () => (input.value = current.name));
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' || event.key === 'Escape') input.blur();
  });
}

function readKept(): Person | undefined {
  try {
    return parsePerson(JSON.parse(localStorage.getItem(STORAGE_KEY) ?? 'null'));
  } catch {
    // Storage switched off, or something of another page in it: a new name does no harm.
    return undefined;
  }
}

/** `false`: this browser keeps nothing. */
function keep(person: Person): boolean {
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(person));
    return true;
  } catch {
    return false;
  }
}
