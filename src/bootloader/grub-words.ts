/**
 * The words of a GRUB script: enough of its quoting to read what grub-mkconfig and hacktree write, and to write safely.
 *
 * Variables are not expanded, conditions not evaluated: a reader sees every command in the file's order.
 *
 * **Source:** GRUB manual, "Writing full configuration files directly": words, quoting, reserved `{ }` and `;`.
 */
import { menuProblem } from './menu.ts';

const PLAIN_WORD = /^[A-Za-z0-9_./:=,+@%^~-]+$/;

/** Splits a script into commands of unquoted words; `{` ends a command as its last word, `}` is one of its own. */
export function splitGrubCommands(script: string): string[][] {
  const commands: string[][] = [];
  let words: string[] = [];
  const end = (): void => {
    if (words.length > 0) commands.push(words);
    words = [];
  };
  // One of: blanks, comment, end of command, word (runs of quoted, escaped and plain text).
  const token = /([ \t\r]+)|(#[^\n]*)|([\n;])|((?:'[^']*'|"(?:\\[\s\S]|[^"\\])*"|\\[\s\S]|[^\s;'"\\])+)|([\s\S])/g;
  for (const match of script.matchAll(token)) {
    if (match[3] !== undefined) end();
    const word = match[4];
    if (word === undefined) continue;
    if (word === '}') end();
    words.push(unquote(word));
    if (word === '{' || word === '}') end();
  }
  end();
  return commands;
}

function unquote(word: string): string {
  return word.replace(
    /'([^']*)'|"((?:\\[\s\S]|[^"\\])*)"|\\([\s\S])/g,
    (_, single?: string, double?: string, escaped?: string) => {
      if (single !== undefined) return single;
      if (double !== undefined) return double.replace(/\\([\\"$])/g, '$1');
      return escaped === '\n' ? '' : (escaped ?? '');
    },
  );
}

/** Quotes one word. */
export function quoteGrubWord(word: string): string {
  return PLAIN_WORD.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * Turns a kernel argument into the GRUB word that makes the kernel see it: GRUB puts quotes around a word with spaces by
 * itself, and a backslash before each quote or backslash, which the kernel takes literally; so quotes are left out
 * and what needs the others is refused. Errors: `boot-menu-invalid`.
 *
 * **Source:** grub-core/lib/cmdline.c (`\xNN` passes unchanged).
 */
export function grubArgument(argument: string): string {
  const bare = argument.replaceAll('"', '');
  if (/['\\]/.test(bare.replace(/\\x[0-9a-fA-F]{2}/g, ''))) {
    throw menuProblem(`GRUB cannot pass the kernel argument '${argument}': it has an apostrophe or a backslash`, {
      found: argument,
    });
  }
  return quoteGrubWord(bare);
}
