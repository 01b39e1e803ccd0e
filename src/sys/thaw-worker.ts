/**
 * Entry of the child process that thaws a file system when the process that froze it dies or hangs.
 *
 * Everything it needs is loaded before it says `ready`: it must not wait for the very file system that is frozen.
 */
import * as fs from 'node:fs';
import { syncFileSystemOf, thawFileSystem } from './natives.ts';
import { WATCHDOG_DONE } from './settle.ts';

const LIMIT_MS = 30_000;

const fd = fs.openSync(process.argv[2] ?? '/', 'r');

function thaw(): void {
  try {
    thawFileSystem(fd);
  } catch {
    // Not frozen: the wanted state.
  }
}

syncFileSystemOf(fd);
thaw();
fs.writeSync(1, 'ready\n');

let said = '';
process.stdin.setEncoding('utf8');
process.stdin.on('data', (text) => {
  said += text;
});
process.stdin.on('end', () => {
  if (said !== WATCHDOG_DONE) thaw();
  process.exit(0);
});
setTimeout(() => {
  thaw();
  process.exit(1);
}, LIMIT_MS);
