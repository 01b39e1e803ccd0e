/** What all scenarios share while the tests run: trees, the mirror, nginx in front of it, a GnuPG home with one key. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeGpgHome } from '../../helpers/gpg-home.ts';
import { startNginx } from '../../helpers/nginx.ts';
import { ostree } from '../../helpers/oracle.ts';
import { type Mode, makeCommon, makeStart } from './start.ts';

export interface Setting {
  /** Makes the start of scenarios in a mode, once. */
  startOf(mode: Mode): string;
  /** Puts places and keys in for the words with `@`. */
  fillIn(words: readonly string[]): string[];
  close(): Promise<void>;
}

/** Makes the setting below a directory. */
export async function openSetting(base: string): Promise<Setting> {
  const home = makeGpgHome();
  const key = home.makeKey('Good <good@example.com>');
  const publicKey = home.gpg(['--export', key]);
  makeCommon(base);
  // Keys in a file as ostree looks for them, and what every line finds on its standard input.
  for (const path of [join(home.dir, 'keys.gpg'), join(base, 'common/keys.gpg'), join(base, 'common/stdin')])
    writeFileSync(path, publicKey);
  const up = join(base, 'up');
  const nginx = await startNginx(base, join(base, 'nginx'));
  const values = { up, web: `${nginx.url}/up`, home: home.dir, key, newest: ostree(up, 'rev-parse', 'main') };
  const starts = new Map<Mode, string>();
  return {
    startOf(mode) {
      const start = starts.get(mode) ?? makeStart(base, mode, values.web);
      starts.set(mode, start);
      return start;
    },
    fillIn: (words) =>
      words.map((word) => Object.entries(values).reduce((filled, [name, value]) => filled.replace(`@${name}`, value), word)),
    async close() {
      await nginx.stop();
      home.remove();
    },
  };
}
