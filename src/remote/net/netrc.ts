/** Credentials in a netrc file: `machine HOST login USER password SECRET`, `default`. Source: ftp(1), curl's netrc. */
import type { Credentials } from './options.ts';

/** Reads a netrc file; macros are skipped. The host of `default` is `*`. */
export function parseNetrc(text: string): Credentials[] {
  const words = text.replace(/^macdef\b.*\n(?:.+\n)*/gm, '').match(/"(?:\\.|[^"\\])*"|\S+/g) ?? [];
  const found: { host: string; user: string; password: string }[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    const last = found.at(-1);
    if (word === 'machine') found.push({ host: unquote(words[++i]), user: '', password: '' });
    else if (word === 'default') found.push({ host: '*', user: '', password: '' });
    else if (word === 'login' && last !== undefined) last.user = unquote(words[++i]);
    else if (word === 'password' && last !== undefined) last.password = unquote(words[++i]);
  }
  return found;
}

function unquote(word = ''): string {
  return word.startsWith('"') ? word.slice(1, -1).replace(/\\(.)/g, '$1') : word;
}
