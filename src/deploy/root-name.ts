/**
 * Names for roots: `root-` and what the user gave, else the commit's version, else ref and date; made safe and unique,
 * and never taken apart again.
 */
import { HacktreeError } from '../core/index.ts';
import { ROOT_PREFIX } from './layout.ts';

export interface NameRequest {
  /** --name. */
  readonly name: string | undefined;
  readonly version: string | undefined;
  readonly ref: string | undefined;
  /** Seconds since 1970, of the commit. */
  readonly timestampSec: bigint;
}

const GIVEN = /^[A-Za-z0-9][A-Za-z0-9._+~-]{0,100}$/;
const MAX_LENGTH = 100;

/** Picks a name that is not taken. Errors: `ref-invalid` for a --name with other characters, `root-exists` for one in use. */
export function chooseRootName(request: NameRequest, taken: ReadonlySet<string>): string {
  if (request.name !== undefined) return checkGiven(request.name, taken);
  const base = `${ROOT_PREFIX}${safe(request.version ?? refAndDate(request))}`;
  for (let i = 1; ; i++) {
    const name = i === 1 ? base : `${base}.${i}`;
    if (!taken.has(name)) return name;
  }
}

function checkGiven(name: string, taken: ReadonlySet<string>): string {
  const bare = name.startsWith(ROOT_PREFIX) ? name.slice(ROOT_PREFIX.length) : name;
  if (!GIVEN.test(bare) || bare.includes('..') || bare.endsWith('+once')) {
    throw new HacktreeError(
      'ref-invalid',
      `Invalid name for a root: '${name}', expected letters, digits and . _ + ~ - without '..'`,
      {
        details: { expected: 'letters, digits and . _ + ~ -', found: name },
      },
    );
  }
  const root = `${ROOT_PREFIX}${bare}`;
  if (!taken.has(root)) return root;
  throw new HacktreeError('root-exists', `A root named ${root} exists already`, {
    details: { found: root },
    hints: [`choose another --name, or remove it with: hacktree undeploy ${root}`],
  });
}

function refAndDate({ ref, timestampSec }: NameRequest): string {
  const date = new Date(Number(timestampSec) * 1000).toISOString().slice(0, 10).replaceAll('-', '');
  return `${ref ?? 'commit'}-${date}`;
}

function safe(text: string): string {
  const mapped = text
    .replace(/[^A-Za-z0-9._+~-]+/g, '-')
    .replace(/\.\.+/g, '.')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, MAX_LENGTH);
  return mapped === '' ? 'unnamed' : mapped;
}
