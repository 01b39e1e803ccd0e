/**
 * Rules for menus that every boot loader shares, checked before anything is planned.
 */
import { HacktreeError } from '../core/index.ts';
import { type BootEntry, type BootMenu, HOST_ID, MAX_TRIES } from './types.ts';

const ID = /^[A-Za-z0-9][A-Za-z0-9._+~-]*$/;
const PATH_COMPONENT = /^[A-Za-z0-9._+~@-]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL = /[\x00-\x1f\x7f]/;

/** The menu of a disk that hacktree has not touched. */
export const EMPTY_MENU: BootMenu = {
  entries: [],
  defaultId: HOST_ID,
  previousId: HOST_ID,
  triesLeft: undefined,
  oneShotId: undefined,
  fellBackId: undefined,
};

/** Tells whether text can be an entry's id: GRUB takes digits alone for a position in the menu. */
export function isEntryId(id: string): boolean {
  return ID.test(id) && !/^[0-9]+$/.test(id) && id !== HOST_ID;
}

/** Makes the error for a menu that cannot be. */
export function menuProblem(message: string, details: Record<string, unknown> = {}): HacktreeError {
  return new HacktreeError('boot-menu-invalid', message, { details });
}

/** Checks ids, paths and tries. Errors: `boot-menu-invalid`. */
export function checkMenu(menu: BootMenu, countsBoots: boolean): void {
  const ids = new Set<string>([HOST_ID]);
  for (const entry of menu.entries) {
    checkEntry(entry);
    if (ids.has(entry.id)) throw menuProblem(`Boot entry '${entry.id}' is listed twice`, { found: entry.id });
    ids.add(entry.id);
  }
  for (const [what, id] of [
    ['default', menu.defaultId],
    ['previous', menu.previousId],
    ['one-shot', menu.oneShotId],
  ]) {
    if (id !== undefined && !ids.has(id)) throw menuProblem(`The ${what} boot entry '${id}' is not in the menu`, { found: id });
  }
  checkTries(menu, countsBoots);
}

function checkTries({ triesLeft, defaultId }: BootMenu, countsBoots: boolean): void {
  if (triesLeft === undefined) return;
  if (!Number.isInteger(triesLeft) || triesLeft < 0 || triesLeft > MAX_TRIES) {
    throw menuProblem(`Boot tries must be 0 to ${MAX_TRIES}, not ${triesLeft}`, {
      expected: `0..${MAX_TRIES}`,
      found: triesLeft,
    });
  }
  if (defaultId === HOST_ID) throw menuProblem("The host's own entry cannot be on trial");
  if (!countsBoots) throw menuProblem('Boot attempts are not counted here, so nothing can be on trial', { found: triesLeft });
}

function checkEntry(entry: BootEntry): void {
  if (!isEntryId(entry.id)) {
    throw menuProblem(`'${entry.id}' cannot name a boot entry`, {
      expected: 'letters, digits and ._+~-, not digits alone',
      found: entry.id,
    });
  }
  for (const path of [entry.kernel, ...entry.initrds]) {
    const parts = path.split('/');
    if (!parts.every((part) => PATH_COMPONENT.test(part) && part !== '.' && part !== '..')) {
      throw menuProblem(`Boot entry '${entry.id}' has the unusable path '${path}'`, { path });
    }
  }
  if (entry.initrds.length === 0) throw menuProblem(`Boot entry '${entry.id}' has no initial RAM disk`);
  for (const text of [entry.title, entry.version, ...entry.arguments]) {
    if (CONTROL.test(text)) throw menuProblem(`Boot entry '${entry.id}' has a control character in '${text}'`, { found: text });
  }
}
