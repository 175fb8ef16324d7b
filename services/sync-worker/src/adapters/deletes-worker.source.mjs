// Without a build: TypeScript has to be read in the thread itself, `--import tsx` reaches the main thread only.
import { register } from 'tsx/esm/api';

register();
await import('./deletes-worker.ts');
