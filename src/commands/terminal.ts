/**
 * Is a descriptor a terminal? Asked at every start, so node:tty, which loads half of the network code (3 ms of
 * processor time), is asked only about what can be one.
 */
import { fstatSync } from 'node:fs';

/** Number of /dev/null, where output that nobody wants goes. */
const DEV_NULL = 0x103;

export function isTerminal(fd: number): boolean {
  try {
    const stat = fstatSync(fd);
    return stat.isCharacterDevice() && stat.rdev !== DEV_NULL && process.getBuiltinModule('node:tty').isatty(fd);
  } catch {
    // A closed descriptor is none.
    return false;
  }
}
