/** `npm run build`: builds the page and prints how large it became. */
import { buildWeb } from './build.ts';

const files = await buildWeb();
const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`;
for (const { name, bytes, gzippedBytes } of files)
  process.stdout.write(`${name}  ${kilobytes(bytes)}, gzipped ${kilobytes(gzippedBytes)}\n`);
process.stdout.write(`in all, gzipped: ${kilobytes(files.reduce((sum, { gzippedBytes }) => sum + gzippedBytes, 0))}\n`);
