const withinMsDefault = 30_000;
/** However many events come, the condition is looked at so often at most: looking may cost more than what it waits for. */
const lookEveryMs = 20;

/**
 * Resolves when `condition` holds; looked at again after each event (`subscribe` gets the callback and gives its removal), never by the clock alone.
 * Rejects after `withinMs` with what was waited for.
 */
export async function until(
  what: string | (() => string),
  condition: () => boolean,
  subscribe: (wake: () => void) => () => void,
  withinMs = withinMsDefault,
): Promise<void> {
  if (condition()) return;
  await new Promise<void>((resolve, reject) => {
    let looking: NodeJS.Timeout | undefined;
    const end = (finish: () => void): void => {
      unsubscribe();
      clearTimeout(looking);
      clearTimeout(deadline);
      finish();
    };
    const look = (): void => {
      looking = undefined;
      try {
        if (condition()) end(resolve);
      } catch (error) {
        end(() => reject(error));
      }
    };
    const unsubscribe = subscribe(() => (looking ??= setTimeout(look, lookEveryMs)));
    const deadline = setTimeout(
      () =>
        condition()
          ? end(resolve)
          : end(() => reject(new Error(`within ${withinMs} ms it did not come that ${typeof what === 'string' ? what : what()}`))),
      withinMs,
    );
  });
}
