import { defaultKeymap } from '@codemirror/commands';
import { Compartment, EditorState } from '@codemirror/state';
import { EditorView, keymap, placeholder } from '@codemirror/view';
import { yCollab, yUndoManagerKeymap } from 'y-codemirror.next';
import type { Awareness } from 'y-protocols/awareness';
import { UndoManager } from 'yjs';
import type { Text } from 'yjs';

const PLACEHOLDER = 'Nobody has written anything here yet. Type a few words, then open a second tab and watch them arrive.';

export interface Editor {
  setReadOnly(readOnly: boolean): void;
  focus(): void;
}

/** One shared text in `parent`, with everybody's names and cursors. Tab leaves it, as keyboards expect. */
export function openEditor(parent: HTMLElement, text: Text, awareness: Awareness, documentName: string): Editor {
  const readOnly = new Compartment();
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: text.toJSON(),
      extensions: [
        keymap.of([...yUndoManagerKeymap, ...defaultKeymap]),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ 'aria-label': `Text of ${documentName}`, spellcheck: 'true', autocapitalize: 'sentences' }),
        placeholder(PLACEHOLDER),
        readOnly.of([]),
        yCollab(text, awareness, { undoManager: new UndoManager(text) }),
      ],
    }),
  });
  return {
    setReadOnly: (value) =>
      view.dispatch({ effects: readOnly.reconfigure(value ? [EditorState.readOnly.of(true), EditorView.editable.of(false)] : []) }),
    focus: () => view.focus(),
  };
}
