/**
 * The GRUB script that is hacktree's boot menu: `hacktree.cfg`, beside the host's grub.cfg.
 *
 * The host's grub.cfg sources `custom.cfg` at its end and that sources this file. It decides what boots by variables of
 * the environment block, and shows itself as a menu of its own (`configfile`): hacktree's entries first, then one that
 * starts the host's menu anew and boots its default at once. Escape leads to the host's menu. The three passes are told apart by
 * `hacktree_menu`: unset (sourced by the host), `own` (hacktree's menu), `host` (sourced again through the host's entry).
 *
 * GRUB scripts have no arithmetic, so tries are counted down by a chain of comparisons. A one-shot choice (`next_entry`,
 * grub-reboot) is taken by the host's own script, which sets `boot_once`: then nothing here touches the default.
 *
 * **Source:** GRUB manual, "Shell-like scripting", `configfile`, `export`, `save_env`; contexts opened by `configfile` see
 * exported variables alone.
 */
import type { GrubHost } from './grub-host.ts';
import { grubArgument, quoteGrubWord, splitGrubCommands } from './grub-words.ts';
import { type BootEntry, HOST_ID, MAX_TRIES } from './types.ts';

/** Names of the variables in the environment block. */
export const GRUB_VARIABLES = {
  default: 'hacktree_default',
  previous: 'hacktree_previous',
  tries: 'hacktree_tries',
  fellBack: 'hacktree_fell_back',
  /** GRUB's own, also set by grub-reboot. */
  oneShot: 'next_entry',
} as const;

const V = GRUB_VARIABLES;

/** The value of a GRUB variable, as a script writes it. */
const value = (name: string): string => `\${${name}}`;

/** Settings of the host that hacktree's menu takes over; exporting an unset one would set it to nothing. */
const HOST_SETTINGS = [
  ...['timeout', 'timeout_style', 'superusers', 'theme', 'lang', 'locale_dir', 'secondary_locale_dir'],
  ...['color_normal', 'color_highlight', 'menu_color_normal', 'menu_color_highlight'],
];

/** What the script holds besides what the environment block says. */
export interface GrubMenu {
  readonly entries: readonly BootEntry[];
  /** Booted when the environment block names no entry of this menu. */
  readonly fallbackDefaultId: string;
}

const HEAD = '# Boot menu of hacktree, replaced as a whole by hacktree: changes made here are lost.';

/** Prints the script; without entries it leaves the host's menu alone. Errors: `boot-menu-invalid` for an argument that GRUB cannot pass. */
export function printGrubScript(menu: GrubMenu, host: GrubHost, defaultPrefix: string): string {
  if (menu.entries.length === 0) return `${HEAD}\n`;
  return [
    HEAD,
    `set hacktree_boot=${quoteGrubWord(host.bootPrefix ?? defaultPrefix)}`,
    `set hacktree_fallback_default=${menu.fallbackDefaultId}`,
    ...knownFunction(menu.entries),
    ...countFunction(),
    ...choice(),
    `if [ "${value('hacktree_menu')}" = ${HOST_ID} ]; then`,
    '  set timeout=0',
    'else',
    ...menu.entries.flatMap((entry) => printEntry(entry, host)),
    'fi',
    ...hostEntry(host),
    '',
  ].join('\n');
}

function knownFunction(entries: readonly BootEntry[]): string[] {
  const tests = [HOST_ID, ...entries.map(({ id }) => id)].map(
    (id) => `  if [ "${value('1')}" = ${quoteGrubWord(id)} ]; then return 0; fi`,
  );
  return ['function hacktree_known {', ...tests, '  return 1', '}'];
}

function countFunction(): string[] {
  const chain: string[] = [];
  for (let tries = MAX_TRIES; tries > 0; tries--) {
    chain.push(`    ${tries === MAX_TRIES ? 'if' : 'elif'} [ "${value(V.tries)}" = ${tries} ]; then set ${V.tries}=${tries - 1}`);
  }
  return [
    '# Run by an entry when it is started.',
    'function hacktree_count {',
    `  if [ "${value(V.default)}" = "${value('1')}" -a -n "${value(V.tries)}" ]; then`,
    ...chain,
    '    fi',
    `    save_env ${V.tries}`,
    '  fi',
    '}',
  ];
}

function choice(): string[] {
  return [
    `if [ -z "${value('hacktree_menu')}" ]; then`,
    `  if [ -n "${value('config_directory')}" ]; then set hacktree_dir="${value('config_directory')}"; else set hacktree_dir="${value('prefix')}"; fi`,
    `  if [ -s ${value('prefix')}/grubenv ]; then load_env ${V.default} ${V.previous} ${V.tries} ${V.fellBack}; fi`,
    `  if [ "${value(V.tries)}" = 0 ]; then`,
    `    if hacktree_known "${value(V.previous)}"; then true; else set ${V.previous}=${HOST_ID}; fi`,
    `    echo "hacktree: ${value(V.default)} did not come up, going back to ${value(V.previous)}"`,
    `    set ${V.fellBack}="${value(V.default)}"`,
    `    set ${V.default}="${value(V.previous)}"`,
    `    set ${V.tries}=`,
    `    save_env ${V.default} ${V.fellBack} ${V.tries}`,
    '  fi',
    `  if hacktree_known "${value(V.default)}"; then true; else`,
    `    set ${V.default}="${value('hacktree_fallback_default')}"`,
    `    set ${V.tries}=`,
    '  fi',
    `  if [ -z "${value('boot_once')}" ]; then`,
    '    set hacktree_menu=own',
    `    export hacktree_menu hacktree_dir ${V.default} ${V.previous} ${V.tries}`,
    ...HOST_SETTINGS.map((name) => `    if [ -n "${value(name)}" ]; then export ${name}; fi`),
    `    configfile "${value('hacktree_dir')}/hacktree.cfg"`,
    '    # Reached by Escape.',
    '    set hacktree_menu=',
    `    if [ "${value(V.default)}" != ${HOST_ID} ]; then set default="${value(V.default)}"; fi`,
    '  fi',
    `elif [ "${value('hacktree_menu')}" = own ]; then`,
    `  set default="${value(V.default)}"`,
    'fi',
  ];
}

function printEntry(entry: BootEntry, host: GrubHost): string[] {
  const path = (file: string): string => `${value('hacktree_boot')}/${file}`;
  return [
    `menuentry ${quoteGrubWord(entry.title)} --class gnu-linux --class os --unrestricted --id ${quoteGrubWord(entry.id)} {`,
    `  hacktree_count ${quoteGrubWord(entry.id)}`,
    `  set hacktree_version=${quoteGrubWord(entry.version)}`,
    ...(host.loadsVideo ? ['  load_video'] : []),
    ...(host.gfxPayload === undefined ? [] : [`  set gfxpayload=${host.gfxPayload}`]),
    ...host.modules.map((module) => `  insmod ${module}`),
    ...(host.fsUuid === undefined ? [] : [`  search --no-floppy --fs-uuid --set=root ${host.fsUuid}`]),
    `  ${[host.linuxCommand, path(entry.kernel), ...entry.arguments.map(grubArgument)].join(' ')}`,
    `  ${[host.initrdCommand, ...entry.initrds.map(path)].join(' ')}`,
    '}',
  ];
}

function hostEntry(host: GrubHost): string[] {
  return [
    `if [ "${value('hacktree_menu')}" = own ]; then`,
    `  menuentry ${quoteGrubWord(`${host.title ?? 'Host system'} (host)`)} --class os --unrestricted --id ${HOST_ID} {`,
    `    set hacktree_menu=${HOST_ID}`,
    '    unset chosen',
    `    configfile "${value('hacktree_dir')}/grub.cfg"`,
    '  }',
    'fi',
  ];
}

const BOOT_VARIABLE = `${value('hacktree_boot')}/`;

/** Reads a script written by printGrubScript, as GRUB sees it: the last of two entries with one id does not count. */
export function parseGrubScript(script: string): GrubMenu {
  const entries: BootEntry[] = [];
  let open: string[][] | undefined;
  let fallbackDefaultId: string = HOST_ID;
  for (const words of splitGrubCommands(script)) {
    if (words[0] === 'menuentry') open = [words];
    else if (words[0] === '}') {
      const entry = open === undefined ? undefined : toEntry(open);
      if (entry !== undefined && entries.every(({ id }) => id !== entry.id)) entries.push(entry);
      open = undefined;
    } else if (open !== undefined) open.push(words);
    else if (words[0] === 'set' && words[1]?.startsWith('hacktree_fallback_default=')) {
      fallbackDefaultId = words[1].slice('hacktree_fallback_default='.length);
    }
  }
  return { entries, fallbackDefaultId };
}

function toEntry([head, ...body]: string[][]): BootEntry | undefined {
  const find = (name: RegExp): string[] | undefined => body.find((words) => name.test(words[0] ?? ''));
  const linux = find(/^linux(efi|16)?$/);
  const initrd = find(/^initrd(efi|16)?$/);
  const id = head?.[head.indexOf('--id') + 1];
  if (linux?.[1] === undefined || id === undefined) return undefined;
  const version = body.find((words) => words[0] === 'set' && words[1]?.startsWith('hacktree_version='))?.[1];
  const relative = (word: string): string => (word.startsWith(BOOT_VARIABLE) ? word.slice(BOOT_VARIABLE.length) : word);
  return {
    id,
    title: head?.[1] ?? '',
    version: version?.slice('hacktree_version='.length) ?? '',
    kernel: relative(linux[1]),
    initrds: (initrd ?? []).slice(1).map(relative),
    arguments: linux.slice(2),
  };
}
