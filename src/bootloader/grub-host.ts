/**
 * Reads how the host's own grub.cfg starts Linux, so that hacktree's entries start the same way: kernel arguments,
 * file system, modules, video. Text in, data out.
 */
import { withoutLoaderArguments } from './bls-host.ts';
import { splitGrubCommands } from './grub-words.ts';

export interface GrubHost {
  /** Title of the host's first Linux entry. */
  readonly title: string | undefined;
  /** Kernel command line of the host's first Linux entry, without what the loader adds itself. */
  readonly arguments: readonly string[];
  /** Path of the boot directory as GRUB sees it: '' for a partition of its own, else `/boot`, `/@/boot`. */
  readonly bootPrefix: string | undefined;
  /** `linux` and `initrd`, or a variant (`linuxefi`, `linux16`) with its partner. */
  readonly linuxCommand: string;
  readonly initrdCommand: string;
  /** UUID that `search --fs-uuid` is given. */
  readonly fsUuid: string | undefined;
  /** Modules loaded before the kernel, in order. */
  readonly modules: readonly string[];
  /** True when entries call the function `load_video` that grub-mkconfig defines. */
  readonly loadsVideo: boolean;
  /** Value of `gfxpayload` in the entry. */
  readonly gfxPayload: string | undefined;
  /** True when a `custom.cfg` beside grub.cfg is sourced. */
  readonly sourcesCustomCfg: boolean;
}

/** Parses a grub.cfg. What it does not say is undefined or empty. */
export function parseGrubHost(script: string): GrubHost {
  const commands = splitGrubCommands(script);
  const at = commands.findIndex(([name]) => /^linux(efi|16)?$/.test(name ?? ''));
  const entryStart = commands.slice(0, Math.max(at, 0)).findLastIndex(([name]) => name === 'menuentry');
  const body = at < 0 ? [] : commands.slice(Math.max(entryStart, 0), at);
  const linux = commands[at] ?? [];
  const suffix = (linux[0] ?? 'linux').slice('linux'.length);
  return {
    title: commands[entryStart]?.[1],
    arguments: withoutLoaderArguments(linux.slice(2)),
    bootPrefix: linux[1] === undefined ? undefined : linux[1].replace(/^\([^)]*\)/, '').replace(/\/[^/]*$/, ''),
    linuxCommand: `linux${suffix}`,
    initrdCommand: `initrd${suffix}`,
    fsUuid: lastFsUuid(body) ?? lastFsUuid(commands),
    modules: [...new Set(body.filter(([name]) => name === 'insmod').map((words) => words[1] ?? ''))].filter(isModule),
    loadsVideo: body.some(([name]) => name === 'load_video'),
    gfxPayload: lastSetting(body, 'gfxpayload'),
    sourcesCustomCfg: commands.some(([name, file]) => (name === 'source' || name === '.') && /\/custom\.cfg$/.test(file ?? '')),
  };
}

/** Modules of the Xen branch that grub-mkconfig writes into every entry are not needed. */
const isModule = (name: string): boolean => /^[a-z0-9_]+$/.test(name) && name !== 'xzio' && name !== 'lzopio';

function lastFsUuid(commands: readonly string[][]): string | undefined {
  const search = commands.findLast(([name, ...words]) => name === 'search' && words.includes('--fs-uuid') && setsRoot(words));
  const uuid = search?.at(-1);
  return uuid !== undefined && /^[0-9A-Fa-f-]{4,}$/.test(uuid) ? uuid : undefined;
}

function setsRoot(words: readonly string[]): boolean {
  return words.includes('--set=root') || words.includes('--set') || words.includes('-s');
}

function lastSetting(commands: readonly string[][], variable: string): string | undefined {
  const setting = commands.findLast(([name, word]) => name === 'set' && word?.startsWith(`${variable}=`));
  const value = setting?.[1]?.slice(variable.length + 1);
  return value !== undefined && /^[A-Za-z0-9x,_-]+$/.test(value) ? value : undefined;
}
