/** Dates of --timestamp against the real ostree, in UTC and in a zone with summer time; dates as log prints them. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type DateOptions, decodeCommit, printDate } from '../../src/format/index.ts';
import { initOstreeRepo, ostreeCommit } from '../helpers/oracle.ts';
import { PROJECT_DIR, requireTool, run, runOk } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';

const withOstree = requireTool('ostree') ? it : it.skip;

const TEXTS = [
  ...[
    '@0',
    '@1700000000',
    '@1700000000.9',
    '@-5',
    '@-5.5',
    '@ 5',
    '@+5',
    '@',
    '@x',
    '@5 days',
    '@1 @2',
    '@99999999999',
    ' @5 ',
    '@5Z',
  ],
  ...[
    '2024-01-02',
    '2024-1-2',
    '2024-01-02 03:04',
    '2024-01-02 03:04:05',
    '2024-01-02T03:04:05',
    '2024-01-02T03:04',
    '2024-01-02t03:04:05z',
  ],
  ...[
    '2024-01-02T03:04:05Z',
    '2024-01-02T03:04:05+02:00',
    '2024-01-02T03:04:05.678+0230',
    '2024-01-02T03:04:05,5-05',
    '2024-01-02 03:04:05 +0200',
  ],
  ...[
    '2024-01-02 03:04:05 -05',
    '2024-01-02 03:04 +2',
    '2024-01-02 03:04+02:30',
    '2024-01-02 03:04 +25:00',
    '2024-01-02 03:04 EST',
    '2024-01-02 EST',
  ],
  ...[
    '2024-01-02 UTC',
    '2024-01-02 UTC+2',
    '2024-01-02 GMT-3:30',
    '2024-07-02 10:00 Z',
    '2024-07-02 10:00',
    '2024-01-02 +0200',
    '2024-07-02 12:00 CEST',
  ],
  ...[
    '03:04:05 2024-01-02',
    'UTC 2024-01-02',
    '2024-01-02 2024-01-03',
    '10:00 11:00',
    '2024-01-02 UTC EST',
    'UTC',
    'Z',
    'j',
    'b c',
  ],
  ...[
    'Tue Jan  2 03:04:05 2024',
    'Tue Jan  2 03:04:05 UTC 2024',
    'Tue, 02 Jan 2024 03:04:05 +0000',
    'Wed, 2 Jan 2024',
    '2 Jan 2024',
    '2 January 2024',
  ],
  ...[
    '02-Jan-2024',
    '2-jan-24',
    'Jan 2 2024',
    'Jan 2, 2024',
    'January 2, 2024',
    'Jan-2-2024',
    '2Jan2024',
    'Jan 2',
    '2 Jan',
    'Jan 2 10:00',
  ],
  ...[
    'Jan 2 10:00 2024',
    'Sept 3 2024',
    'Sep 3 2024',
    'sept. 3 2024',
    'Octo 3 2024',
    'Jan',
    'Jan 2024',
    'Jan 32 2024',
    'Feb 29 2023',
    'Feb 29 2024',
    'may 1 2024',
  ],
  ...[
    '20240102',
    '20240102 10:00',
    '20240102T100000',
    '240102',
    '5',
    '12',
    '24',
    '25',
    '0304',
    '2460',
    '1200 2024-01-02',
    '2024-01-02 12',
    '2024-01-02 1234',
  ],
  ...[
    '1/2/2024',
    '1/2',
    '12/31',
    '13/1/2024',
    '2024/1/2',
    '1/2/24',
    '1/2/69',
    '69-1-2',
    '68-01-02',
    '99-1-2',
    '1-1-1',
    '0001-01-01 UTC',
    '1969-12-31 UTC',
  ],
  ...[
    '9999-12-31 UTC',
    '10000-01-01 UTC',
    '2024-13-01',
    '2024-00-01',
    '2024-02-30',
    '2024-02-29',
    '2023-02-29',
    '2024-01-02 24:00',
    '2024-01-02 23:59:60',
  ],
  ...[
    '2024-01-02 23:60',
    '2024-01-02 12am',
    '2024-01-02 12pm',
    '2024-01-02 1 pm',
    '2024-01-02 1:30 PM',
    '2024-01-02 1:30:15 a.m.',
    '2024-01-02 13pm',
    '2024-01-02 0am',
  ],
  ...[
    '',
    ' ',
    ',',
    'garbage',
    'now',
    'today',
    'yesterday',
    'tomorrow',
    'NOW',
    'Yesterday',
    'midnight',
    'noon',
    'yesterday 10:00',
    '10:00 yesterday',
    'tomorrow UTC',
  ],
  ...[
    '2 days ago',
    '2 day ago',
    '1 week ago',
    'last week',
    'next month',
    '3 hours ago',
    '-2 days',
    '+2 days',
    '2 days',
    '- 2 days',
    'day',
    'days',
  ],
  ...[
    'week',
    'day ago',
    'hour ago',
    '1 fortnight ago',
    '2 months ago',
    '1 year ago',
    '30 seconds ago',
    '30 sec ago',
    '5 min ago',
    '5 mins',
    '5 minutes ago',
    '1 hour',
  ],
  ...[
    'this week',
    'third day ago',
    'twelfth month',
    'second day',
    'next year',
    'last year',
    '1 day 2 hours ago',
    '1 day ago 2 hours ago',
    '2 days 3 weeks',
    '-1 day ago',
  ],
  ...[
    '2024-01-31 +1 month',
    '2024-01-31 1 month',
    '2024-01-31 1 month ago',
    '2024-02-29 1 year',
    '2024-02-29 -1 year',
    '2024-01-02 10:00 + 2 hours',
    '2024-01-02 + 36 hours',
  ],
  ...[
    '2024-01-02 10:00 +2 hours',
    '2024-01-02 10:00:00 -1 day',
    '2024-03-31 1 month ago',
    '2024-01-02 2 days',
    '2024-01-02 yesterday',
    '2024-01-02 tomorrow',
  ],
  ...[
    'monday',
    'mon',
    'tues',
    'wednes',
    'thurs',
    'thur',
    'fri',
    'saturday',
    'sun',
    'last monday',
    'next fri',
    'this tuesday',
    'monday 10:00',
    'third wed',
    'monday monday',
  ],
  ...[
    'last',
    'next',
    'ago',
    '2',
    '2 2',
    '1 day 1',
    '2 bananas',
    '2 days agoo',
    '2024-01-02 monday',
    '2024-01-02, 10:00',
    '2024-01-02,10:00',
    '1.5 days ago',
  ],
  ...[
    '2024-03-10 02:30',
    '2024-11-03 01:30',
    '2024-03-10 01:30 1 hour',
    '2024-03-09 02:30 1 day',
    '2024-07-01 -6 months',
    '1900-01-01 UTC',
    '2024-01-02T',
  ],
  ...[
    '2024-01-02 10',
    '10 am UTC 2024-01-02',
    'jan 2 2024 10 am',
    '2024-1-2-3',
    '2024-01',
    '2024',
    '1/2/3/4',
    '10:',
    ':10',
    '10:00:',
    '10:0',
    '1:2:3',
  ],
];

const SCRIPT = `
  import { parseDate } from '${PROJECT_DIR}/build/src/format/index.js';
  const { texts, options } = JSON.parse(process.argv[1]);
  const parse = (text) => { try { return String(parseDate(text, options)); } catch (error) { return error.code; } };
  console.log(JSON.stringify(texts.map(parse)));
`;

/** Parses in a process of its own, whose zone is that of TZ. */
function parseIn(zone: string, texts: readonly string[], options: DateOptions): string[] {
  const args = ['--input-type=module', '-e', SCRIPT, JSON.stringify({ texts, options })];
  return JSON.parse(runOk(process.execPath, args, { env: { TZ: zone } })) as string[];
}

const nowSec = (): number => Math.floor(Date.now() / 1000);

function askOstree(repo: string, tree: string, zone: string): string[] {
  return TEXTS.map((text) => {
    const args = [`--repo=${repo}`, 'commit', '-b', 'main', '--fsync=false', `--timestamp=${text}`, tree];
    const { status, stdout, stderr } = run('ostree', args, { env: { TZ: zone } });
    if (status !== 0) {
      expect(stderr).toBe(`error: Could not parse '${text}'\n`);
      return 'usage';
    }
    const checksum = stdout.trim();
    const object = readFileSync(join(repo, 'objects', checksum.slice(0, 2), `${checksum.slice(2)}.commit`));
    return String(BigInt.asIntN(64, decodeCommit(object).timestampSec));
  });
}

describe('parseDate', () => {
  withOstree.each(['UTC', 'America/New_York', 'Asia/Kolkata'])('understands what ostree does, in the zone %s', (zone) => {
    const dir = scratchDir();
    const [repo, tree] = [join(dir, 'repo'), join(dir, 'tree')];
    mkdirSync(tree);
    initOstreeRepo(repo, 'bare-user-only');
    // Time goes on while ostree runs: what it says lies between what we say before and after.
    const before = parseIn(zone, TEXTS, { nowSec: nowSec() });
    const theirs = askOstree(repo, tree, zone);
    const after = parseIn(zone, TEXTS, { nowSec: nowSec() });
    const isBetween = (i: number): boolean => {
      if (theirs[i] === 'usage' || before[i] === 'usage' || after[i] === 'usage')
        return before[i] === theirs[i] && after[i] === theirs[i];
      return BigInt(before[i] ?? 0) <= BigInt(theirs[i] ?? 0) && BigInt(theirs[i] ?? 0) <= BigInt(after[i] ?? 0);
    };
    const wrong = TEXTS.flatMap((text, i) => (isBetween(i) ? [] : [`'${text}': ${before[i]}..${after[i]}, ostree ${theirs[i]}`]));
    expect(wrong).toEqual([]);
    expect(theirs.filter((each) => each === 'usage').length).toBeGreaterThan(40);
  });
});

describe('printDate', () => {
  withOstree('prints what ostree show prints', () => {
    const dir = scratchDir();
    const [repo, tree] = [join(dir, 'repo'), join(dir, 'tree')];
    mkdirSync(tree);
    initOstreeRepo(repo, 'bare-user-only');
    for (const seconds of [0n, 5n, -5n, 1700000000n, 253402300799n, 253402300800n, -62135596800n, -62135596801n, 4102444800n]) {
      const commit = ostreeCommit(repo, tree, `--timestamp=@${seconds}`);
      const { stdout, stderr } = run('ostree', [`--repo=${repo}`, 'show', commit]);
      if (printDate(seconds) === undefined)
        expect(stdout + stderr).toContain(`Invalid timestamp: ${BigInt.asUintN(64, seconds)}`);
      else expect(stdout).toContain(`\nDate:  ${printDate(seconds)}\n`);
    }
  });
});
