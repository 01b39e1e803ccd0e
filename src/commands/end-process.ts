/** The way out of a process that has run a command. A module of its own, so that loading it loads nothing else. */
export { endProcess } from '../repo/index.ts';
