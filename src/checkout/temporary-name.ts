/** Names for files that are not complete yet. They begin so that whoever finds one left over knows whose it is. */
import { threadId } from 'node:worker_threads';

let counter = 0;

/** A name that no other thread or process uses at the same time. */
export function temporaryName(): string {
  return `.hacktree-${process.pid}-${threadId}-${counter++}`;
}
